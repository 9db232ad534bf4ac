import type { Environment, WarmPool } from '@hearth/contract'
import { expect, test } from 'vitest'
import { isNewer, judgePool } from './pool-state.ts'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const time = '2026-11-20T18:07:00.000Z'
const metadata = {
  id,
  organizationId: id,
  name: 'x',
  creator: null,
  createdAt: time,
  updatedAt: time,
  labels: {},
}
const versions = { specVersion: 1, statusVersion: 1 }
const shared = { observedSpecVersion: 1, failure: null, deadline: null }

function pool(status: Partial<WarmPool['status']>, spec: Partial<WarmPool['spec']> = {}): WarmPool {
  const counts = { ready: 0, provisioning: 0, failed: 0, claimed: 0, consecutiveFailures: 0, retryAt: null }
  const unchecked = { uncheckedBranch: null, quota: null }
  return {
    kind: 'WarmPool',
    metadata,
    ...versions,
    spec: {
      projectId: id,
      environmentClassId: id,
      enabled: true,
      min: 1,
      branch: null,
      maxAgeMinutes: null,
      setup: [],
      ...spec,
    },
    status: { phase: 'ready', ...counts, ...unchecked, ...shared, ...status },
  }
}

function machine(phase: Environment['status']['phase']): Environment {
  const failed = phase === 'failed'
  return {
    kind: 'Environment',
    metadata,
    ...versions,
    spec: {
      desiredPhase: 'running',
      projectId: id,
      environmentClassId: id,
      warmPoolId: id,
      test: null,
      inspection: null,
      plan: {
        image: 'debian-12',
        virtualCpus: 1,
        memoryMebibytes: 512,
        diskGibibytes: 4,
        repositories: [],
        variables: {},
        secretNames: [],
        projectSetup: [],
        warmPoolSetup: [],
      },
    },
    status: {
      phase,
      runnerId: null,
      claimId: null,
      unreachable: false,
      address: null,
      identity: null,
      paused: null,
      steps: [],
      summary: { success: null, failedStep: null, error: null },
      placement: null,
      readyAt: null,
      removeAt: null,
      deletion: null,
      ...shared,
      failure: failed ? { code: 'command_failed', message: 'make: no rule', step: 'project_setup' } : null,
    },
  }
}

const judge = (state: WarmPool, machines: Environment[]) => judgePool({ pool: state, machines })

test('a pool is ready when it says so, and waited for while it fills', () => {
  expect(judge(pool({}), [machine('running')])).toEqual({ phase: 'ready' })
  expect(judge(pool({ phase: 'filling' }), [machine('provisioning')])).toEqual({ phase: 'waiting' })
})

test('a status that has not seen the newest spec decides nothing', () => {
  const behind = pool({ phase: 'failed', observedSpecVersion: 0 })
  expect(judge(behind, [machine('failed')])).toEqual({ phase: 'waiting' })
})

test('a pool that wants none, or is switched off or cleared, keeps nobody waiting', () => {
  expect(judge(pool({}, { min: 0 }), [])).toEqual({ phase: 'ready' })
  expect(judge(pool({ phase: 'disabled' }), [])).toEqual({ phase: 'ready' })
  expect(judge(pool({ phase: 'cleared' }), [])).toEqual({ phase: 'ready' })
})

test('a pool that gave up tells the cause of its machine, but not while another may still turn out well', () => {
  const failed = machine('failed')
  expect(judge(pool({ phase: 'failed' }), [failed])).toMatchObject({
    phase: 'failed',
    failure: { message: 'make: no rule' },
    machine: failed,
  })
  expect(judge(pool({ phase: 'failed' }), [failed, machine('provisioning')])).toEqual({ phase: 'waiting' })
})

test('of two views of one resource the newer counts, whichever came last', () => {
  expect(isNewer({ specVersion: 1, statusVersion: 5 }, { specVersion: 1, statusVersion: 4 })).toBe(true)
  expect(isNewer({ specVersion: 1, statusVersion: 4 }, { specVersion: 1, statusVersion: 4 })).toBe(false)
  expect(isNewer({ specVersion: 1, statusVersion: 1 }, undefined)).toBe(true)
})
