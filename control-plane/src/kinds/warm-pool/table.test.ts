import { expect, test } from 'vitest'
import { emptyPoolStatus, noFacts, poolSpec, toWarmPool, type WarmPoolRow } from './table.ts'

const at = new Date('2026-01-01T12:00:00Z')
const row = (change: Partial<WarmPoolRow>): WarmPoolRow => ({
  ...{ id: 'pool', organization_id: 'organization', name: 'shop-small', creator: null, labels: {} },
  ...{ created_at: at, updated_at: at, spec_version: 2, status_version: 1 },
  ...{ project_id: 'project', environment_class_id: 'class', phase: 'filling' as const, cleared: false },
  ...{ configuration: null, boots_since: null, scaling: null },
  spec: poolSpec({ spec: { enabled: true, min: 3, setup: [] } }),
  status: { ...emptyPoolStatus, observedSpecVersion: 2, desiredSize: 1 },
  ...change,
})
const one = { ...noFacts, ready: 1, readyAndCurrent: 1 }

test('a pool is full with as many as it wants now, which a schedule may have made fewer than min', () => {
  expect(toWarmPool(row({}), one).status).toMatchObject({ phase: 'ready', desiredSize: 1 })
  expect(toWarmPool(row({}), noFacts).status.phase).toBe('filling')
})

test('what was reckoned before a change says nothing of the pool after it', () => {
  const changed = row({ spec_version: 3 })
  expect(toWarmPool(changed, one).status).toMatchObject({ phase: 'filling', desiredSize: 3 })
})
