import type { PipelineError } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decide, type PipelineAction, type SeenPipeline } from './decide.ts'
import type { SeenVolume } from './seen.decide.ts'
import { now, runningMachine } from './seen.fixture.ts'

const soon = new Date('2026-11-30T12:10:00Z')
const mounted: SeenVolume = {
  name: 'volume-1',
  phase: 'attached',
  isGoing: false,
  isLost: false,
  failure: null,
  isMounted: true,
  hindrance: null,
}
const stopped: SeenPipeline = {
  resources: 'stopped',
  desired: 'stopped',
  runtime: null,
  runtimeDetails: null,
  desiredRuntime: null,
  program: 'success',
  storage: 'cleared',
  deadline: null,
  provisioningSeconds: 600,
  since: now,
  machine: null,
  volume: null,
  copy: { state: 'present' },
  service: { state: 'absent' },
  told: null,
  isWishTold: true,
  waitsFor: null,
}
const started: SeenPipeline = { ...stopped, desired: 'provisioned' }
const provisioning: SeenPipeline = {
  ...started,
  resources: 'provisioning',
  storage: 'in_use',
  deadline: soon,
  machine: runningMachine,
  volume: mounted,
}
const told = { runtime: 'running', details: null } as const
const running: SeenPipeline = {
  ...started,
  resources: 'provisioned',
  storage: 'in_use',
  runtime: 'running',
  desiredRuntime: 'running',
  machine: runningMachine,
  service: { state: 'running' },
  told,
}
const stopping: SeenPipeline = {
  ...stopped,
  resources: 'stopping',
  storage: 'in_use',
  machine: runningMachine,
}
const ended = { state: 'ended', exitCode: 1, message: 'it ended with exit code 1', lastLines: ['x'] } as const
const failure = { code: 'runner_lost', message: 'its host is gone' } as const

const error = (code: string): Partial<PipelineError> => ({ code })
/** What an error says beside its code is looked at below. */
const stops = (code: string | null) => ({
  do: 'stop',
  error: code === null ? null : expect.objectContaining(error(code)),
})

test.each<[string, SeenPipeline, PipelineAction | null | object]>([
  ['one that is stopped stays so', stopped, null],
  [
    'clearing deletes the volume',
    { ...stopped, storage: 'clearing', volume: mounted },
    { do: 'delete-volume' },
  ],
  ['which is waited for', { ...stopped, storage: 'clearing', volume: { ...mounted, isGoing: true } }, null],
  [
    'after a copy that is made of it',
    { ...stopped, storage: 'clearing', volume: { ...mounted, isMounted: null, hindrance: 'a copy' } },
    null,
  ],
  ['and then it is cleared', { ...stopped, storage: 'clearing' }, { do: 'storage-is-cleared' }],
  ['a start waits until it is compiled', { ...started, program: 'building' }, null],
  ['and until the machine of that is back', { ...started, machine: runningMachine }, null],
  ['then it is provisioned', started, { do: 'provision' }],
  [
    'what does not compile does not start',
    { ...started, program: 'check_error' },
    {
      do: 'refuse-start',
      error: {
        code: 'start_failed_due_to_failed_compilation',
        message: 'its program does not compile: it is check error',
        details: { program: 'check_error' },
      },
    },
  ],
  ['it is given a machine', { ...provisioning, machine: null }, { do: 'make-machine' }],
  [
    'what was compiled is copied before',
    { ...provisioning, machine: null, copy: { state: 'absent' } },
    { do: 'copy' },
  ],
  ['and waited for', { ...provisioning, machine: null, copy: { state: 'coming' } }, null],
  [
    'or is an error',
    { ...provisioning, machine: null, copy: { state: 'failed', message: 'no' } },
    stops('program_not_copied'),
  ],
  [
    'a machine that boots is waited for',
    { ...provisioning, machine: { ...runningMachine, phase: 'provisioning' } },
    null,
  ],
  ['a silent one too', { ...provisioning, machine: { ...runningMachine, isSilent: true } }, null],
  ['then it gets the volume', { ...provisioning, volume: { ...mounted, isMounted: null } }, { do: 'attach' }],
  [
    'unless another machine still has it',
    { ...provisioning, volume: { ...mounted, isMounted: null, hindrance: 'its last machine' } },
    null,
  ],
  ['which is mounted first', { ...provisioning, volume: { ...mounted, isMounted: false } }, null],
  ['then it runs', provisioning, { do: 'run' }],
  ['which is waited for', { ...provisioning, service: { state: 'working', waitsFor: null } }, null],
  [
    'and then it is provisioned',
    { ...provisioning, service: { state: 'running' } },
    { do: 'be-provisioned' },
  ],
  ['a stop amid it ends it', { ...provisioning, desired: 'stopped' }, stops(null)],
  [
    'so does a machine that fails',
    { ...provisioning, machine: { ...runningMachine, phase: 'failed', failure } },
    stops('machine_lost'),
  ],
  [
    'and a volume',
    { ...provisioning, volume: { ...mounted, phase: 'failed', failure } },
    stops('storage_unavailable'),
  ],
  [
    'a volume that failed before is tried again',
    { ...provisioning, volume: { ...mounted, phase: 'failed', failure, isMounted: null } },
    { do: 'attach' },
  ],
  [
    'one whose host is gone is lost',
    { ...provisioning, machine: null, volume: { ...mounted, isMounted: null, isLost: true } },
    stops('storage_unavailable'),
  ],
  [
    'and so is a program that is gone',
    { ...provisioning, machine: null, copy: { state: 'lost' } },
    stops('program_lost'),
  ],
  ['and one that goes', { ...provisioning, volume: { ...mounted, isGoing: true } }, stops('storage_lost')],
  ['and a program that ends', { ...provisioning, service: ended }, stops('runtime_ended')],
  ['and its time', { ...provisioning, deadline: now }, stops('provisioning_timeout')],
  ['one that runs stays so', running, null],
  [
    'what it says is shown',
    { ...running, told: { runtime: 'paused', details: { a: 1 } } },
    { do: 'show', runtime: 'paused', details: { a: 1 } },
  ],
  [
    'of a silent host nothing',
    { ...running, machine: { ...runningMachine, isSilent: true } },
    { do: 'show', runtime: 'unavailable', details: { reason: 'nothing is heard of runner rack-1' } },
  ],
  ['what is wished is told', { ...running, isWishTold: false }, { do: 'tell' }],
  ['a stop by force ends it', { ...running, desired: 'stopped' }, stops(null)],
  ['one that is suspended stops', { ...running, runtime: 'suspended' }, stops(null)],
  ['whatever its machine does', { ...running, runtime: 'suspended', machine: null }, stops(null)],
  [
    'one that was to be, and ended well, too',
    { ...running, desiredRuntime: 'suspended', service: { ...ended, exitCode: 0 } },
    stops(null),
  ],
  [
    'one that ended well otherwise is an error',
    { ...running, service: { ...ended, exitCode: 0 } },
    stops('runtime_ended'),
  ],
  [
    'one that ended badly too',
    { ...running, desiredRuntime: 'suspended', service: ended },
    stops('runtime_ended'),
  ],
  ['and a machine that is gone', { ...running, machine: null }, stops('machine_lost')],
  [
    'or is put to rest',
    { ...running, machine: { ...runningMachine, phase: 'stopped' } },
    stops('machine_lost'),
  ],
  [
    'a machine that boots again is waited for',
    { ...running, machine: { ...runningMachine, phase: 'starting' } },
    null,
  ],
  ['its machine is given back', stopping, { do: 'return-machine' }],
  ['which is waited for', { ...stopping, machine: { ...runningMachine, isGoing: true } }, null],
  [
    'and then it is stopped',
    { ...stopping, machine: { ...runningMachine, phase: 'deleted', isGoing: true } },
    { do: 'be-stopped' },
  ],
  ['also where there is none', { ...stopping, machine: null }, { do: 'be-stopped' }],
])('%s', (_, seen, action) => {
  expect(decide(seen, now)).toEqual(action)
})

test.each<[string, Partial<SeenPipeline>, string]>([
  ['a machine', { machine: null }, 'a machine'],
  [
    'room',
    { machine: null, waitsFor: 'room in the quotas of its organization' },
    'room in the quotas of its organization',
  ],
  [
    'a copy',
    { machine: null, copy: { state: 'coming' } },
    'what was compiled to be copied to the host of its volume',
  ],
  [
    'a place',
    { machine: { ...runningMachine, phase: 'pending', placement: 'no room' } },
    'machine pipeline-1 to run: it is pending (no room)',
  ],
  ['a host', { machine: { ...runningMachine, isSilent: true } }, 'runner rack-1, which is silent'],
  [
    'a volume',
    { volume: { ...mounted, phase: 'attaching', isMounted: false } },
    'volume volume-1 to be mounted: it is attaching',
  ],
  [
    'its last machine',
    { volume: { ...mounted, isMounted: null, hindrance: 'its last machine' } },
    'its last machine',
  ],
  ['the agent', { service: { state: 'working', waitsFor: 'its agent' } }, 'its agent'],
])('what waited too long for %s says so', (_, change, waited) => {
  expect(decide({ ...provisioning, ...change, deadline: now }, now)).toEqual({
    do: 'stop',
    error: {
      code: 'provisioning_timeout',
      message: `its machine was not ready within 600 s: it waited for ${waited}`,
      details: { seconds: 600, waitedFor: waited },
    },
  })
})

test('a program that ended says how, and what it printed last', () => {
  expect(decide({ ...running, service: ended }, now)).toEqual({
    do: 'stop',
    error: {
      code: 'runtime_ended',
      message: 'its program ended: it ended with exit code 1',
      details: { exitCode: 1, lastLines: ['x'] },
    },
  })
})
