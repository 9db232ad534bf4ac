import type { HearthError } from '@hearth/foundation'
import { beforeEach, expect, test } from 'vitest'
import { mostSenders, SenderRates } from './sender-rates.ts'

let now: number
let rates: SenderRates
beforeEach(() => {
  now = Date.parse('2026-01-01T12:00:00Z')
  rates = new SenderRates({ now: () => new Date(now) }, { requestsPerSecond: 2, trustedProxies: [] })
})

/** How many of several simultaneous requests are let through, and when the next one may be. */
function burst(peer: string, count: number): { passed: number; retryAfter: unknown } {
  let passed = 0
  let retryAfter: unknown = null
  for (let at = 0; at < count; at += 1) {
    try {
      rates.take({ peer, forwardedFor: undefined })
      passed += 1
    } catch (error) {
      expect(error).toMatchObject({ code: 'rate_limited' })
      retryAfter = (error as HearthError).facts.retryAfterSeconds
    }
  }
  return { passed, retryAfter }
}

test('a flood from one address is refused, and another one is let through', () => {
  expect(burst('203.0.113.5', 1_000)).toEqual({ passed: 20, retryAfter: 1 })
  expect(burst('198.51.100.7', 1)).toEqual({ passed: 1, retryAfter: null })
  now += 1_000
  expect(burst('203.0.113.5', 10).passed).toBe(2)
  now += 3_600_000
  expect(burst('203.0.113.5', 1_000).passed).toBe(20)
})

test('who changes its address within its own network of IPv6 is one sender', () => {
  const from = (index: number) => burst(`2001:db8::${index.toString(16)}`, 1).passed
  const passed = Array.from({ length: 100 }, (_, index) => from(index)).filter((one) => one === 1)
  expect(passed).toHaveLength(20)
})

test('only so many addresses are remembered, those that were heard of last', () => {
  burst('203.0.113.5', 20)
  burst('203.0.113.6', 20)
  for (let index = 0; index < mostSenders - 1; index += 1)
    burst(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 1)
  expect(rates.size).toBe(mostSenders)
  expect(burst('203.0.113.6', 1).passed).toBe(0)
  expect(burst('203.0.113.5', 1).passed).toBe(1)
  expect(rates.size).toBe(mostSenders)
})

test('a clock that is put back shuts nobody out for longer than a burst lasts', () => {
  burst('203.0.113.5', 20)
  now -= 3_600_000
  expect(burst('203.0.113.5', 1)).toEqual({ passed: 0, retryAfter: 1 })
  now += 10_000
  expect(burst('203.0.113.5', 1_000).passed).toBe(20)
})
