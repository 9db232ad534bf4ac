import { expect, test } from 'vitest'
import { decide, type SeenMachine, type SeenRoute } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const past = new Date(now.getTime() - 1_000)
const runner = {
  name: 'rack-1',
  isAble: true,
  ingress: { base: 'hearth.localhost', port: 443 },
  ingressFault: null,
  routes: 3,
}
const machine: SeenMachine = {
  name: 'shop-1',
  phase: 'running',
  desiredPhase: 'running',
  unreachable: false,
  runnerId: 'r1',
  runner,
}
const route: SeenRoute = {
  name: 'web-shop',
  phase: 'pending',
  desired: 'open',
  runnerId: null,
  host: null,
  proxyPort: null,
  waitsFor: null,
  deadline: null,
  failure: null,
  isTaken: false,
}
const host = 'web-shop.hearth.localhost'
const served = { ...route, phase: 'active', runnerId: 'r1', host, proxyPort: 443 } as const

const cases: [string, Partial<SeenRoute>, Partial<SeenMachine>, object | null][] = [
  ['a new one is ordered under the domain of its runner', {}, {}, { do: 'open', host, proxyPort: 443 }],
  ['one that is served stays', served, {}, null],
  ['one whose machine sleeps stays', served, { phase: 'suspended', desiredPhase: 'suspended' }, null],
  ['one whose machine has failed stays, so that its page says so', served, { phase: 'failed' }, null],
  [
    'one follows its runner to another domain',
    served,
    { runner: { ...runner, ingress: { base: 'other.example', port: 443 } } },
    { do: 'open', host: 'web-shop.other.example' },
  ],
  ['one follows its machine to another runner', served, { runnerId: 'r2' }, { do: 'take-back' }],
  [
    'one waits for its machine to be placed, without a deadline of its own',
    {},
    { runnerId: null, runner: null },
    { do: 'wait', deadline: null },
  ],
  [
    'one waits for a runner without a proxy, and says why',
    {},
    { runner: { ...runner, ingress: null, ingressFault: 'caddy is not installed' } },
    { do: 'wait', waitsFor: 'runner rack-1 to serve routes: caddy is not installed' },
  ],
  [
    'that wait has an end',
    { waitsFor: 'something', deadline: past },
    { runner: { ...runner, ingress: null } },
    { do: 'fail', failure: { code: 'host_refused' } },
  ],
  [
    'one that failed for that opens when the runner can',
    { phase: 'failed', failure: { code: 'host_refused', message: '' } },
    {},
    { do: 'open' },
  ],
  ['a name of others is refused', { isTaken: true }, {}, { do: 'fail', failure: { code: 'name_taken' } }],
  [
    'an old agent is waited for',
    {},
    { runner: { ...runner, isAble: false } },
    { do: 'wait', waitsFor: 'runner rack-1 to get an agent that serves routes: update it' },
  ],
  [
    'a runner that does not say in time that it serves one is late',
    { ...served, phase: 'opening', deadline: past },
    {},
    { do: 'fail', failure: { code: 'deadline_passed' } },
  ],
  [
    'one that is silent cannot be late',
    { ...served, phase: 'opening', deadline: past },
    { unreachable: true },
    { do: 'postpone' },
  ],
  ['an unwanted one is closed by its runner first', { ...served, desired: 'delete' }, {}, { do: 'close' }],
  [
    'it is gone in time, whatever the runner says',
    { ...served, phase: 'deleting', desired: 'delete', deadline: past },
    {},
    { do: 'remove' },
  ],
  ['one that nobody serves is gone at once', { desired: 'delete' }, {}, { do: 'remove' }],
  ['one goes with its environment', served, { desiredPhase: 'deleted', phase: 'deleting' }, { do: 'close' }],
]

test.each(cases)('%s', (_, given, seen, expected) => {
  const action = decide({ ...route, ...given }, { ...machine, ...seen }, now)
  if (expected === null) expect(action).toBeNull()
  else expect(action).toMatchObject(expected)
})
