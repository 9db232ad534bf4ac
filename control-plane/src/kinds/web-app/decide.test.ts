import { expect, test } from 'vitest'
import { decide, type SeenMachine, type SeenWebApp, type WebAppAction } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const before = new Date(now.getTime() - 60_000)
const later = new Date(now.getTime() + 60_000)
const machine: SeenMachine = {
  name: 'shop-1',
  phase: 'running',
  desiredPhase: 'running',
  unreachable: false,
}
const absent = { state: 'absent' } as const
const done = { state: 'done' } as const
const working = { state: 'working', waitsFor: 'environment shop-1 to run: it is pending' } as const
const failure = { code: 'command_failed', message: 'task app-set-up: it failed' } as const
const failed = { state: 'failed', failure } as const
const provisioning: SeenWebApp = {
  name: 'shop',
  phase: 'provisioning',
  desired: 'keep',
  deadline: later,
  waitsFor: null,
  setUp: absent,
  processes: 1,
  removals: [absent, absent],
}
const going: SeenWebApp = { ...provisioning, phase: 'deleting', desired: 'delete', processes: 0 }

const cases: [string, SeenWebApp, Partial<WebAppAction> | null, Partial<SeenMachine>?][] = [
  ['is set up', provisioning, { do: 'set-up' }],
  [
    'says what its set-up waits for',
    { ...provisioning, setUp: working },
    { do: 'wait', waitsFor: working.waitsFor },
  ],
  ['says so once', { ...provisioning, setUp: working, waitsFor: working.waitsFor }, null],
  ['is ready after its set-up', { ...provisioning, setUp: done }, { do: 'be-ready' }],
  ['fails with its set-up', { ...provisioning, setUp: failed }, { do: 'fail', failure }],
  ['fails when that takes too long', { ...provisioning, setUp: working, deadline: before }, { do: 'fail' }],
  ['rests when it is ready', { ...provisioning, phase: 'ready', setUp: done }, null],
  ['is as it was when its task was made room for', { ...provisioning, phase: 'ready' }, null],
  [
    'goes with its machine',
    { ...provisioning, phase: 'ready' },
    { do: 'desire-deletion' },
    { desiredPhase: 'deleted' },
  ],
  ['is gone with it', { ...provisioning, phase: 'ready' }, { do: 'forget' }, { phase: 'deleted' }],
  ['is deleted', { ...going, phase: 'ready' }, { do: 'begin-deletion' }],
  ['waits for what runs to end', { ...going, processes: 2 }, null],
  ['removes its files then', going, { do: 'remove-files' }],
  ['waits until they are removed', { ...going, removals: [done, working] }, null],
  ['is gone then', { ...going, removals: [done, done] }, { do: 'forget', warning: null }],
  [
    'is gone though they could not be',
    { ...going, removals: [done, failed] },
    { do: 'forget', warning: failure.message },
  ],
  ['is gone when that takes too long', { ...going, processes: 1, deadline: before }, { do: 'forget' }],
  [
    'is gone from a machine that is off',
    going,
    { do: 'forget' },
    { phase: 'stopped', desiredPhase: 'stopped' },
  ],
  ['is gone from a machine that is silent', going, { do: 'forget' }, { unreachable: true }],
  ['is gone from a machine that goes', going, { do: 'forget', warning: null }, { desiredPhase: 'deleted' }],
]

test.each(cases)('a web app %s', (_, seen, action, otherMachine = {}) => {
  const decided = decide(seen, { ...machine, ...otherMachine }, now)
  if (action === null) expect(decided).toBeNull()
  else expect(decided).toMatchObject(action)
})
