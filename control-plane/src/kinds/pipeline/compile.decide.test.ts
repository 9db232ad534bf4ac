import { expect, test } from 'vitest'
import { type CompileAction, decideCompile, type SeenCompile } from './compile.decide.ts'
import { now, runningMachine } from './seen.fixture.ts'

const soon = new Date('2026-11-30T13:00:00Z')
const done = { state: 'done', output: '', messages: [] } as const
const made = { name: 'snapshot-1', state: 'ready', failure: null } as const
const base: SeenCompile = {
  program: 'pending',
  deadline: soon,
  machine: runningMachine,
  check: { state: 'absent' },
  build: { state: 'absent' },
  snapshot: null,
  waitsFor: null,
}
const faulty = { state: 'faulty', exitCode: 1, output: 'bad', messages: [] } as const
const failed = { state: 'failed', message: 'no python' } as const
const systemError = (system: string): CompileAction => ({
  do: 'move',
  to: 'system_error',
  found: { system },
})

test.each<[string, Partial<SeenCompile>, CompileAction | null]>([
  [
    'a new program has a deadline first',
    { deadline: null },
    { do: 'wait-until', deadline: new Date('2026-11-30T14:00:00Z') },
  ],
  ['then it is given a machine', { machine: null }, { do: 'make-machine' }],
  [
    'another one where the last is going',
    { machine: { ...runningMachine, isGoing: true } },
    { do: 'make-machine' },
  ],
  ['for which it waits', { machine: { ...runningMachine, phase: 'provisioning' } }, null],
  ['also while its host is silent', { machine: { ...runningMachine, isSilent: true } }, null],
  ['it is checked when that runs', {}, { do: 'move', to: 'checking' }],
  [
    'a machine that has failed is no fault of the program',
    {
      machine: {
        ...runningMachine,
        phase: 'failed',
        failure: { code: 'no_runner_fits', message: 'no room' },
      },
    },
    systemError('its machine pipeline-1 has failed: no room'),
  ],
  ['the check is made', { program: 'checking' }, { do: 'run', task: 'check' }],
  ['and waited for', { program: 'checking', check: { state: 'working' } }, null],
  [
    'without one it is checked',
    { program: 'checking', check: { state: 'none' } },
    { do: 'move', to: 'checked' },
  ],
  [
    'its warnings are kept',
    { program: 'checking', check: done },
    { do: 'move', to: 'checked', found: { check: { exitCode: 0, messages: [] } } },
  ],
  [
    'and its faults',
    { program: 'checking', check: faulty },
    { do: 'move', to: 'check_error', found: { check: { exitCode: 1, messages: [] } } },
  ],
  ['a check that cannot be made says why', { program: 'checking', check: failed }, systemError('no python')],
  [
    'the machine is lost under it',
    { program: 'checking', check: { state: 'working' }, machine: null },
    systemError('its machine is gone'),
  ],
  ['what is checked is built', { program: 'checked' }, { do: 'move', to: 'building' }],
  ['by a task', { program: 'building' }, { do: 'run', task: 'build' }],
  [
    'a build that fails',
    { program: 'building', build: faulty },
    { do: 'move', to: 'build_error', found: { build: { exitCode: 1, output: '', errorOutput: 'bad' } } },
  ],
  ['what is built is kept', { program: 'building', build: done }, { do: 'freeze' }],
  ['also what needs no build', { program: 'building', build: { state: 'none' } }, { do: 'freeze' }],
  [
    'not while its host is silent',
    { program: 'building', build: done, machine: { ...runningMachine, isSilent: true } },
    null,
  ],
  ['that is waited for', { program: 'building', snapshot: { ...made, state: 'making' } }, null],
  ['and then it is compiled', { program: 'building', snapshot: made }, { do: 'move', to: 'success' }],
  [
    'unless it cannot be kept',
    { program: 'building', snapshot: { ...made, state: 'lost' } },
    systemError('snapshot snapshot-1 could not be made: it was deleted'),
  ],
  ['the machine is given back', { program: 'success', snapshot: made }, { do: 'return-machine' }],
  ['once', { program: 'success', snapshot: made, machine: null }, null],
  ['of a faulty one too', { program: 'check_error' }, { do: 'return-machine' }],
  ['after which nothing follows', { program: 'build_error', machine: null }, null],
  [
    'what is lost is compiled again',
    { program: 'success', snapshot: null },
    { do: 'compile-again', because: 'what was compiled is gone' },
  ],
])('%s', (_, change, action) => {
  expect(decideCompile({ ...base, ...change }, now)).toEqual(action)
})

test.each<[SeenCompile['program'], Partial<SeenCompile>, string]>([
  [
    'pending',
    { machine: null, waitsFor: 'room in the quotas of its organization' },
    'room in the quotas of its organization',
  ],
  [
    'pending',
    { machine: { ...runningMachine, phase: 'pending', placement: 'no runner' } },
    'machine pipeline-1 to run: it is pending (no runner)',
  ],
  ['checking', {}, 'its program to be checked'],
  [
    'building',
    { machine: { ...runningMachine, isSilent: true } },
    'its program to be built, on runner rack-1, which is silent',
  ],
  [
    'building',
    { snapshot: { ...made, state: 'making' } },
    'snapshot snapshot-1 to be made of what was built',
  ],
])('one that is %s too long is given up, and says what it waited for', (program, change, waited) => {
  expect(decideCompile({ ...base, ...change, program, deadline: now }, now)).toEqual(
    systemError(`it waited until its 120 minutes were over for ${waited}`),
  )
})
