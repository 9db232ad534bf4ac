import type { EnvironmentPhase } from '@hearth/contract'
import { expect, test } from 'vitest'
import { faultOf } from './seen.decide.ts'
import { runningMachine } from './seen.fixture.ts'

test.each<[EnvironmentPhase, string | null]>([
  ['pending', null],
  ['provisioning', null],
  ['starting', null],
  ['running', null],
  ['resuming', null],
  ['stopping', 'its machine pipeline-1 on runner rack-1 is stopping'],
  ['stopped', 'its machine pipeline-1 on runner rack-1 is stopped'],
  ['suspending', 'its machine pipeline-1 on runner rack-1 is suspending'],
  ['suspended', 'its machine pipeline-1 on runner rack-1 is suspended'],
  ['failed', 'its machine pipeline-1 has failed: no cause was reported'],
  ['deleting', 'its machine pipeline-1 is being deleted'],
  ['deleted', 'its machine pipeline-1 is gone'],
])('of a machine that is %s: %s', (phase, fault) => {
  expect(faultOf({ ...runningMachine, phase })).toBe(fault)
})

test('a silent one may be back, one that is to go is not waited for, and none is gone', () => {
  expect(faultOf({ ...runningMachine, isSilent: true })).toBeNull()
  expect(faultOf({ ...runningMachine, isGoing: true })).toBe('its machine pipeline-1 is being deleted')
  expect(faultOf(null)).toBe('its machine is gone')
  const failure = { code: 'runner_lost', message: 'its host is gone' } as const
  expect(faultOf({ ...runningMachine, phase: 'failed', failure })).toBe(
    'its machine pipeline-1 has failed: its host is gone',
  )
})
