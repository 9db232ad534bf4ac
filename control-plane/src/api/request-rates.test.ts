import { defaultQuotas, noLifeCap } from '@hearth/contract'
import type { HearthError } from '@hearth/foundation'
import { expect, test } from 'vitest'
import type { Caller } from './caller.ts'
import { RequestRates } from './request-rates.ts'

let now = 0
const clock = { now: () => new Date(now) }

function caller(
  principalId: string,
  limits: { principal: number | null; organization: number | null },
): Caller {
  const { principal, organization } = defaultQuotas
  return {
    principalId,
    organizationId: 'organization',
    tokenId: 'token',
    name: 'ci',
    roles: ['member'],
    runnerId: null,
    hasSecrets: false,
    lifeCap: noLifeCap,
    limits: {
      principal: { ...principal, requestsPerSecond: limits.principal },
      organization: { ...organization, requestsPerSecond: limits.organization },
    },
  }
}

/** How many of several simultaneous requests are let through, and when the next one may be. */
function burst(rates: RequestRates, who: Caller, count: number): { passed: number; retryAfter: unknown } {
  let passed = 0
  let retryAfter: unknown = null
  for (let at = 0; at < count; at++) {
    try {
      rates.take(who)
      passed += 1
    } catch (error) {
      retryAfter = (error as HearthError).facts.retryAfterSeconds
    }
  }
  return { passed, retryAfter }
}

test('five seconds’ worth pass at once, then as many as are allowed a second', () => {
  const rates = new RequestRates(clock)
  const ana = caller('ana', { principal: 10, organization: null })
  expect(burst(rates, ana, 100)).toEqual({ passed: 50, retryAfter: 1 })
  now += 1_000
  expect(burst(rates, ana, 100).passed).toBe(10)
  now += 3_600_000
  expect(burst(rates, ana, 100).passed).toBe(50)
})

test('members of one organization share its rate, and a refused request does not count', () => {
  const rates = new RequestRates(clock)
  const ana = caller('ana', { principal: 2, organization: 6 })
  const ben = caller('ben', { principal: null, organization: 6 })
  expect(burst(rates, ana, 1_000).passed).toBe(10)
  expect(burst(rates, ben, 1_000).passed).toBe(20)
})

test('without a limit, and for runners, no request is refused', () => {
  const rates = new RequestRates(clock)
  expect(burst(rates, caller('ana', { principal: null, organization: null }), 10_000).passed).toBe(10_000)
  const runner = { ...caller('host', { principal: 1, organization: 1 }), runnerId: 'host' }
  expect(burst(rates, runner, 1_000).passed).toBe(1_000)
})

test('only callers of the last seconds are remembered, however many there were', () => {
  const rates = new RequestRates(clock)
  for (let at = 0; at < 30_000; at++) {
    rates.take(caller(`p-${at}`, { principal: 10, organization: null }))
    now += 1
  }
  expect(rates.size).toBeLessThanOrEqual(10_001)
})

test('a large change counts as several requests, and only later requests wait for it', () => {
  const rates = new RequestRates(clock)
  const ana = caller('ana', { principal: 10, organization: 100 })
  const ben = caller('ben', { principal: null, organization: 100 })
  rates.take(ana)
  rates.charge(ana, 256 * 1024)
  expect(burst(rates, ana, 1)).toEqual({ passed: 0, retryAfter: 2 })
  expect(() => rates.refuseOverdrawn(ana)).toThrow('changes as large')
  expect(() => rates.refuseOverdrawn(ben)).not.toThrow()
  expect(burst(rates, ben, 1_000).passed).toBe(500 - 65)
  now += 2_000
  expect(burst(rates, ana, 100).passed).toBe(5)
})

test('a change of ordinary size counts as one request', () => {
  const rates = new RequestRates(clock)
  const ana = caller('ana', { principal: 10, organization: null })
  for (let change = 0; change < 25; change++) {
    rates.take(ana)
    rates.charge(ana, 4_000)
  }
  expect(burst(rates, ana, 100).passed).toBe(25)
})
