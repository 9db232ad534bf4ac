import { deploymentSeconds } from '@hearth/contract'
import { expect, test } from 'vitest'
import {
  type DeploymentAction,
  decide,
  type SeenDeployment,
  type SeenMachine,
  type SeenStep,
} from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const before = new Date(now.getTime() - 60_000)
const later = new Date(now.getTime() + 60_000)
const machine: SeenMachine = {
  name: 'shop-1',
  phase: 'running',
  desiredPhase: 'running',
  unreachable: false,
}
const step = (state: 'absent' | 'working' | 'done' | 'going', since = before): SeenStep => ({
  name: 'one',
  state,
  since,
})
const failure = { code: 'command_failed', message: 'task one: the task ended with exit code 1' } as const
const failed: SeenStep = { name: 'one', state: 'failed', failure }
const pending: SeenDeployment = {
  name: 'shop-uat-1',
  phase: 'pending',
  isCancelled: false,
  deadline: later,
  waitsFor: null,
  failure: null,
  app: { name: 'shop', phase: 'ready', failure: null },
  before: null,
  isSuperseded: false,
  needsPreparing: true,
  commands: 2,
  released: 0,
  task: step('absent'),
  singletons: [],
  hasEnded: false,
  services: [step('absent')],
  mustLeadBack: false,
}
const revert = { do: 'revert', failure } as const

const cases: [string, Partial<SeenDeployment>, Partial<DeploymentAction> | null, Partial<SeenMachine>?][] = [
  ['begins when nothing is before it', {}, { do: 'enter', phase: 'preparing' }],
  ['waits for its turn', { before: 'deployment a to end' }, { do: 'wait', waitsFor: 'deployment a to end' }],
  ['says once what it waits for', { before: 'deployment a to end', waitsFor: 'deployment a to end' }, null],
  [
    'waits for its machine',
    {},
    { do: 'wait', waitsFor: 'environment shop-1 to be started: it is stopped' },
    { phase: 'stopped', desiredPhase: 'stopped' },
  ],
  [
    'waits for its web app',
    { app: { name: 'shop', phase: 'provisioning', failure: null } },
    { do: 'wait', waitsFor: 'web app shop to be set up' },
  ],
  ['fails with its web app', { app: { name: 'shop', phase: 'failed', failure } }, { do: 'fail' }],
  ['fails when its turn never comes', { before: 'x', waitsFor: 'x', deadline: before }, { do: 'fail' }],
  ['gives way to a newer one', { isSuperseded: true }, { do: 'cancel' }],
  ['is cancelled before it begins', { isCancelled: true }, { do: 'cancel' }],
  ['prepares nothing that is kept', { needsPreparing: false }, { do: 'enter', phase: 'releasing' }],
  [
    'releases nothing that asks for none',
    { needsPreparing: false, commands: 0 },
    { do: 'enter', phase: 'starting' },
  ],
  ['makes the task of its phase', { phase: 'preparing' }, { do: 'run' }],
  ['waits for the task of its phase', { phase: 'preparing', task: step('working') }, null],
  ['goes on after it', { phase: 'preparing', task: step('done') }, { do: 'enter', phase: 'releasing' }],
  ['fails with it', { phase: 'preparing', task: failed }, revert],
  ['is late', { phase: 'preparing', task: step('working'), deadline: before }, { do: 'revert' }],
  [
    'is done in time, though it is seen late',
    { phase: 'switching', task: step('done'), deadline: before },
    { do: 'succeed' },
  ],
  [
    'runs one release command after the other',
    { phase: 'releasing', task: step('done') },
    { do: 'note-released' },
  ],
  ['starts after the last one', { phase: 'releasing', released: 2 }, { do: 'enter', phase: 'starting' }],
  ['starts its processes', { phase: 'starting' }, { do: 'start' }],
  [
    'ends first what may be there only once',
    { phase: 'starting', singletons: [{ name: 'clock', isOver: false }] },
    { do: 'end-singletons' },
  ],
  [
    'waits until that has ended',
    { phase: 'starting', singletons: [{ name: 'clock', isOver: false }], hasEnded: true },
    null,
  ],
  [
    'starts then',
    { phase: 'starting', singletons: [{ name: 'clock', isOver: true }], hasEnded: true },
    { do: 'start' },
  ],
  ['waits until all are ready', { phase: 'starting', services: [step('done'), step('working')] }, null],
  [
    'looks again at what has just begun',
    { phase: 'starting', services: [step('done', now)] },
    { do: 'look-again', at: new Date(now.getTime() + 2_000) },
  ],
  [
    'leads requests to it when all are',
    { phase: 'starting', services: [step('done')] },
    { do: 'enter', phase: 'switching' },
  ],
  [
    'leads requests to an app without processes',
    { phase: 'starting', services: [] },
    { do: 'enter', phase: 'switching' },
  ],
  ['fails with a process', { phase: 'starting', services: [step('done'), failed] }, revert],
  ['is cancelled on its way', { phase: 'starting', isCancelled: true }, { do: 'revert' }],
  [
    'is not cancelled while it gets its requests',
    { phase: 'switching', isCancelled: true, task: step('working') },
    null,
  ],
  ['leads requests back', { phase: 'reverting', mustLeadBack: true, failure }, { do: 'run' }],
  [
    'removes nothing while they are led back',
    { phase: 'reverting', mustLeadBack: true, task: step('working'), services: [step('done')], failure },
    null,
  ],
  [
    'removes its processes then',
    { phase: 'reverting', mustLeadBack: true, task: step('done'), services: [step('done')], failure },
    { do: 'remove-services' },
  ],
  [
    'removes what failed',
    { phase: 'reverting', services: [failed, step('absent')], failure },
    { do: 'remove-services' },
  ],
  ['waits until they are gone', { phase: 'reverting', services: [step('going')], failure }, null],
  ['has failed then', { phase: 'reverting', failure }, { do: 'fail', failure }],
  [
    'has failed when that takes too long',
    { phase: 'reverting', services: [step('going')], failure, deadline: before },
    { do: 'fail', failure },
  ],
  ['is over when it has succeeded', { phase: 'succeeded' }, null],
]

test.each(cases)('a deployment %s', (_, seen, action, otherMachine = {}) => {
  const decided = decide({ ...pending, ...seen }, { ...machine, ...otherMachine }, now)
  if (action === null) expect(decided).toBeNull()
  else expect(decided).toMatchObject(action)
})

test('what is waited for too long is named', () => {
  const seen = { ...pending, phase: 'starting', deadline: before, services: [step('working')] } as const
  expect(decide(seen, machine, now)).toMatchObject({
    failure: {
      code: 'deadline_passed',
      message: `it waited ${deploymentSeconds.starting} s for service one to be ready`,
    },
  })
})
