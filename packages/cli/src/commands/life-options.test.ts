import { expect, test } from 'vitest'
import { lifeOf, span } from './life-options.ts'

test.each([
  ['45s', 45],
  ['30m', 1_800],
  ['30min', 1_800],
  ['8h', 28_800],
  ['2d', 172_800],
])('%s is a span of %d seconds', (text, seconds) => {
  expect(span(text)).toBe(seconds)
})

test.each(['', '0s', '8', 'h', '-1h', '1.5h', '8 h', '4000d', '1h30m', 'none'])('"%s" is no span', (text) => {
  expect(() => span(text)).toThrow(/a span like 45s, 30m, 8h or 2d/)
})

test('only what was given is said, and no end is said as such', () => {
  expect(lifeOf({})).toBeUndefined()
  expect(lifeOf({ lifetime: null, idleThen: 'stop' })).toEqual({ lifetimeSeconds: null, idleThen: 'stop' })
})
