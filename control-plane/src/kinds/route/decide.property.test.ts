import { routePhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type RouteAction, type SeenMachine, type SeenRoute } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const host = 'web.a.example'
const runner = fc.record({
  name: fc.constant('rack-1'),
  isAble: fc.boolean(),
  ingress: fc.option(fc.constantFrom({ base: 'a.example', port: 443 }, { base: 'b.example', port: 8_443 })),
  ingressFault: fc.option(fc.constant('caddy is not installed')),
  routes: fc.constantFrom(0, 5_000),
})
const machine: fc.Arbitrary<SeenMachine> = fc.record({
  name: fc.constant('shop-1'),
  phase: fc.constantFrom('pending', 'running', 'suspended', 'failed', 'deleting', 'deleted'),
  desiredPhase: fc.constantFrom('running', 'suspended', 'deleted'),
  unreachable: fc.boolean(),
  runnerId: fc.option(fc.constantFrom('r1', 'r2')),
  runner: fc.option(runner),
})
const route: fc.Arbitrary<SeenRoute> = fc.record({
  name: fc.constant('web'),
  phase: fc.constantFrom(...routePhases),
  desired: fc.constantFrom('open', 'delete'),
  runnerId: fc.option(fc.constantFrom('r1', 'r2')),
  host: fc.option(fc.constant(host)),
  proxyPort: fc.option(fc.constantFrom(443, 8_443)),
  waitsFor: fc.option(fc.constant('runner rack-1 to serve routes')),
  deadline: fc.option(fc.constantFrom(new Date(now.getTime() - 1), new Date(now.getTime() + 1_000))),
  failure: fc.option(
    fc.constantFrom('name_taken', 'host_refused', 'deadline_passed').map((code) => ({ code, message: '' })),
  ),
  isTaken: fc.boolean(),
}) as fc.Arbitrary<SeenRoute>

/** As `reconcile.ts` carries it out; null for one that is gone. */
function after(seen: SeenRoute, { runnerId }: SeenMachine, action: RouteAction): SeenRoute | null {
  switch (action.do) {
    case 'remove':
      return null
    case 'close':
      return { ...seen, phase: 'deleting', deadline: action.deadline }
    case 'wait':
      return {
        ...seen,
        phase: 'pending',
        runnerId: null,
        failure: null,
        waitsFor: action.waitsFor,
        deadline: action.deadline,
      }
    case 'open':
      return { ...seen, ...action, phase: 'opening', runnerId, failure: null, waitsFor: null }
    case 'take-back':
      return { ...seen, phase: 'pending', runnerId: null, deadline: null }
    case 'postpone':
      return { ...seen, deadline: action.deadline }
    case 'fail': {
      const isForgotten = action.failure.code !== 'deadline_passed'
      const given = {
        ...seen,
        phase: 'failed',
        failure: action.failure,
        deadline: null,
        waitsFor: null,
      } as const
      return isForgotten ? { ...given, runnerId: null, host: null } : given
    }
  }
}

test('from every state of a route a few decisions lead to one in which nothing follows', () => {
  fc.assert(
    fc.property(route, machine, (first, seen) => {
      let current: SeenRoute | null = first
      for (let step = 0; step < 8 && current !== null; step += 1) {
        const action = decide(current, seen, now)
        if (action === null) return
        current = after(current, seen, action)
      }
      expect(current).toBeNull()
    }),
    { numRuns: 5_000 },
  )
})

test('nothing waits without a deadline but for its machine to be placed, or to be heard of', () => {
  fc.assert(
    fc.property(route, machine, (given, seen) => {
      const action = decide(given, seen, now)
      if (action?.do === 'wait' && action.deadline === null)
        expect(seen.runner === null || seen.runnerId === null).toBe(true)
      if (action?.do === 'open') expect(action.deadline > now).toBe(true)
    }),
  )
})
