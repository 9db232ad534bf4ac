import {
  deletionReasonSchema,
  desiredPhaseSchema,
  type Environment,
  environmentPhases,
  noLifeCap,
  onHostLossSchema,
  pauseReasonSchema,
  runnerPhases,
} from '@hearth/contract'
import { samplePlan } from '@hearth/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newLife, type StoredLife } from '../life/life.ts'
import { emptyStatus, type PlannedEnvironmentRow, toEnvironment } from '../table.ts'
import { explainPaused } from './paused.ts'
import type { EnvironmentSight } from './sight.ts'
import { explain } from './why.ts'

const at = new Date('2026-01-01T12:00:00Z')
const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const plan = samplePlan()

const begun = newLife([{ lifetimeSeconds: 28_800, idleSeconds: 1_800 }], noLifeCap, at) as StoredLife
const announced = { lifetime: { due: begun.endsAt ?? '', at: at.toISOString() } }
const lives = [
  begun,
  { ...begun, announced },
  ...(['lifetime', 'idle'] as const).map((cause) => ({
    ...begun,
    over: { cause, follows: 'suspend' as const, spanSeconds: 1_800, at: at.toISOString() },
  })),
]
const anyEnvironment: fc.Arbitrary<Environment> = fc
  .record({
    phase: fc.constantFrom(...environmentPhases),
    desired_phase: fc.constantFrom(...desiredPhaseSchema.options),
    unreachable: fc.boolean(),
    paused: fc.option(
      fc.record({
        reason: fc.constantFrom(...pauseReasonSchema.options),
        since: fc.constant(at.toISOString()),
      }),
    ),
    deadline: fc.constantFrom(null, at),
    ready: fc.boolean(),
    failed: fc.boolean(),
    reason: fc.option(fc.constantFrom(...deletionReasonSchema.options)),
    life: fc.constantFrom(null, ...lives),
  })
  .map(({ ready, failed, reason, ...row }) => {
    const failure = failed
      ? { code: 'host_refused' as const, message: 'no space left', step: 'create_vm' as const }
      : null
    const shown = {
      ...row,
      id,
      organization_id: id,
      name: 'shop-1',
      creator: null,
      labels: {},
      owner_kind: null,
      owner_id: null,
      source: null,
      created_at: at,
      updated_at: at,
      spec: { plan },
      spec_version: 1,
      status: { ...emptyStatus, failure, readyAt: ready ? at.toISOString() : null },
      status_version: 1,
      deletion: reason === null ? null : { reason, principalId: null, at: at.toISOString() },
    }
    return toEnvironment(shown as unknown as PlannedEnvironmentRow)
  })

const anySight: fc.Arbitrary<EnvironmentSight> = fc.record({
  start: fc.record({
    prebuild: fc.option(fc.constant('shop-small-1')),
    reason: fc.option(fc.constant('no runner with room holds prebuild shop-small-1')),
  }),
  environment: anyEnvironment,
  phaseSince: fc.constant(at),
  project: fc.option(
    fc.record({ name: fc.constant('shop'), onHostLoss: fc.constantFrom(...onHostLossSchema.options) }),
  ),
  runner: fc.option(
    fc.record({
      name: fc.constant('north'),
      phase: fc.constantFrom(...runnerPhases),
      lastSeenAt: fc.constantFrom(null, at),
    }),
  ),
  owner: fc.option(
    fc.record({
      kind: fc.constantFrom('warm-pool', 'warm-pool-test', 'warm-pool-inspection'),
      name: fc.constant('shop-small'),
    }),
  ),
  claim: fc.constantFrom(null, 'claim-1'),
  deletedBy: fc.constantFrom(null, 'ana'),
  placement: fc.constantFrom(
    null,
    { runner: 'north', reason: 'on north', refusals: [] },
    {
      runner: null,
      reason: '2 runners are offline (north, south)',
      refusals: [{ what: '2 runners are offline', names: ['north', 'south'] }],
    },
  ),
})

test('every state has a whole sentence without gaps', () => {
  fc.assert(
    fc.property(anySight, (seen) => {
      const { sentence, evidence, next } = explain(seen)
      for (const text of [sentence, next ?? 'nothing', ...evidence.map(({ what }) => what)]) {
        expect(text).toMatch(/\w{2,}/)
        expect(text).not.toMatch(/undefined|null|\[object| {2}|^ | $/)
      }
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['io_error', /because the disk of the host is full/, /goes on by itself when runner-1 has room/],
  ['suspended', /somebody on the host suspended it/, /not resumed by itself; `virsh resume hearth-/],
  ['other', /the hypervisor stopped it/, /virsh resume hearth-/],
] as const)('a machine paused for %s says why and who lets it go on', (reason, cause, next) => {
  const reasons = explainPaused(
    {
      environment: { metadata: { id }, status: { phase: 'running' } },
      runner: { name: 'runner-1' },
    } as unknown as EnvironmentSight,
    { reason, since: at.toISOString() },
  )
  expect(reasons.sentence).toMatch(cause)
  expect(reasons.sentence).toContain('no claim gets it')
  expect(reasons.next).toMatch(next)
})

test('a machine that its life put to rest says so, and what has to be done before it runs again', () => {
  const over = {
    cause: 'lifetime' as const,
    follows: 'suspend' as const,
    spanSeconds: 28_800,
    at: at.toISOString(),
  }
  const row = {
    ...{
      id,
      organization_id: id,
      name: 'shop-1',
      creator: null,
      labels: {},
      owner_kind: null,
      owner_id: null,
    },
    ...{ source: null, created_at: at, updated_at: at, spec: { plan }, spec_version: 1, status_version: 1 },
    ...{ phase: 'suspended', desired_phase: 'suspended', unreachable: false, paused: null, deadline: null },
    ...{ status: emptyStatus, deletion: null, life: { ...begun, over } },
  }
  const [sight] = fc.sample(anySight, 1)
  const environment = toEnvironment(row as unknown as PlannedEnvironmentRow)
  const { sentence, next } = explain({ ...(sight as EnvironmentSight), environment })
  expect(sentence).toMatch(/suspended on .*, because its lifetime of 8 h ended at 2026-01-01 12:00:00 UTC$/)
  expect(next).toBe(
    'it runs again once its end is put off: `hearth extend shop-1`, then `hearth resume shop-1`',
  )
})
