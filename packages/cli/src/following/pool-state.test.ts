import type { Environment, WarmPool } from '@hearth/contract'
import { expect, test } from 'vitest'
import { sampleMachine, samplePool } from './pool-state.fixture.ts'
import { isNewer, judgePool } from './pool-state.ts'

const judge = (state: WarmPool, environments: Environment[]) => judgePool({ pool: state, environments })

test('a pool is ready when its phase says so, and is waited for while it fills', () => {
  expect(judge(samplePool({}), [sampleMachine('running')])).toEqual({ phase: 'ready' })
  expect(judge(samplePool({ phase: 'filling' }), [sampleMachine('provisioning')])).toEqual({
    phase: 'waiting',
  })
})

test('a status for an older spec is ignored', () => {
  const behind = samplePool({ phase: 'failed', observedSpecVersion: 0 })
  expect(judge(behind, [sampleMachine('failed')])).toEqual({ phase: 'waiting' })
})

test('a pool of size 0, or one that is disabled or cleared, is not waited for', () => {
  expect(judge(samplePool({}, { min: 0 }), [])).toEqual({ phase: 'ready' })
  expect(judge(samplePool({ phase: 'disabled' }), [])).toEqual({ phase: 'ready' })
  expect(judge(samplePool({ phase: 'cleared' }), [])).toEqual({ phase: 'ready' })
})

test('a pool that gave up shows the failure of its environment, but not while another may still succeed', () => {
  const failed = sampleMachine('failed')
  expect(judge(samplePool({ phase: 'failed' }), [failed])).toMatchObject({
    phase: 'failed',
    failure: { message: 'make: no rule' },
    environment: failed,
  })
  expect(judge(samplePool({ phase: 'failed' }), [failed, sampleMachine('provisioning')])).toEqual({
    phase: 'waiting',
  })
})

test('of two versions of one resource the newer counts, in any order of arrival', () => {
  expect(isNewer({ specVersion: 1, statusVersion: 5 }, { specVersion: 1, statusVersion: 4 })).toBe(true)
  expect(isNewer({ specVersion: 1, statusVersion: 4 }, { specVersion: 1, statusVersion: 4 })).toBe(false)
  expect(isNewer({ specVersion: 1, statusVersion: 1 }, undefined)).toBe(true)
})
