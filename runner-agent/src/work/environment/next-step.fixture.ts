import { samplePlan } from '@hearth/testing'
import fc from 'fast-check'
import type { Power } from '../../host/machine.ts'
import type { BindingRecord } from './binding-record.ts'
import type { Seen } from './next-step.ts'
import { type EnvironmentRecord, newRecord } from './record.ts'

export const plan = samplePlan({
  repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
  variables: { A: 'b' },
  projectSetup: [{ name: 'one', command: 'true' }],
})
export const identity = {
  machineId: '',
  hostname: '',
  hostKeyMatches: true,
  randomSeedFresh: true,
  clockOffsetMilliseconds: 0,
  checkedAt: '2026-01-01T00:00:00Z',
}
export const runnerId = 'runner-1'
export const host = { endReason: null, hostBootId: 'first' }
export const machine = (power: Power, epoch: number, generation: number): Seen['machine'] => ({
  ...host,
  power,
  ownership: { owner: runnerId, environmentId: 'e', epoch, generation, createdAt: '' },
})
export const absent: Seen['machine'] = { ...host, power: 'absent', ownership: null }
export const fresh = newRecord(1, plan)
export const snapshotId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
export const anySource = fc.option(
  fc.record({
    snapshotId: fc.constant(snapshotId),
    memory: fc.boolean(),
    incarnation: fc.integer({ min: 1, max: 3 }),
    heldSteps: fc.subarray(['clone_repo.shop', 'init_repo.shop', 'project_setup']),
    onlyFromSnapshot: fc.boolean(),
  }),
  { nil: null },
)

export const anyBindingRecord: fc.Arbitrary<BindingRecord> = fc.record({
  claimId: fc.constantFrom('claim-1', 'claim-2'),
  attempt: fc.integer({ min: 1, max: 3 }),
  phase: fc.constantFrom('running' as const, 'bound' as const, 'failed' as const),
  steps: fc.constant([]),
  boundAt: fc.constant(null),
  failure: fc.constant(null),
  formerHostname: fc.constant(null),
  lacksVariables: fc.boolean(),
})
export const anyBinding = fc.record({
  claimId: fc.constant('claim-1'),
  attempt: fc.integer({ min: 1, max: 3 }),
})

export const powers: Power[] = ['absent', 'shut_off', 'running', 'paused', 'suspended', 'crashed']
export const number = fc.integer({ min: 1, max: 4 })
export const fullDisk = { code: 'disk_full' as const, message: 'the disk is full' }
export const anyRecord = fc.option(
  fc
    .record({
      power: fc.constantFrom('stopped' as const, 'running' as const),
      open: fc.integer({ min: 0, max: fresh.steps.length }),
      checked: fc.boolean(),
      hasFailed: fc.boolean(),
      failedGeneration: fc.integer({ min: 0, max: 4 }),
      from: fc.constantFrom('image', 'disk', 'memory', null),
      incarnation: fc.integer({ min: 0, max: 3 }),
      memoryStart: fc.constantFrom('none' as const, 'wanted' as const, 'begun' as const, 'given_up' as const),
      notSuspended: fc.option(number, { nil: null }),
      toldNotice: fc.constantFrom(null, 'end-1', 'end-2'),
      binding: fc.option(anyBindingRecord, { nil: null }),
    })
    .map(
      ({
        power,
        open,
        checked,
        hasFailed,
        failedGeneration,
        from,
        incarnation,
        memoryStart,
        notSuspended,
        toldNotice,
        binding,
      }): EnvironmentRecord => ({
        ...fresh,
        binding,
        power,
        incarnation,
        startedFrom: from === null ? null : { from, snapshotId, incarnation, reason: null },
        memoryStart: from === 'memory' ? memoryStart : 'none',
        identity: checked ? identity : null,
        steps: fresh.steps.map((step, index) => ({ ...step, phase: index < open ? 'succeeded' : 'pending' })),
        failure: hasFailed ? { code: 'internal', message: '' } : null,
        failedGeneration,
        toldNotice,
        suspensionFault: notSuspended === null ? null : { generation: notSuspended, failure: fullDisk },
      }),
    ),
  { nil: null },
)
export const anyMachine = fc.record({ power: fc.constantFrom(...powers), epoch: number, generation: number })
export const anyWanted = fc.record({
  desiredPhase: fc.constantFrom(
    'running' as const,
    'stopped' as const,
    'suspended' as const,
    'deleted' as const,
  ),
  epoch: number,
  generation: number,
  runnerId: fc.constant(runnerId),
  source: anySource,
  scrub: fc.boolean(),
  onCrash: fc.constantFrom('restart' as const, 'fail' as const),
  notice: fc.constantFrom(undefined, { key: 'end-1', text: 'it ends' }),
  binding: fc.option(anyBinding, { nil: null }),
})
