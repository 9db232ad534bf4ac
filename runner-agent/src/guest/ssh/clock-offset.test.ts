import { expect, test } from 'vitest'
import { clockOffset } from './clock-offset.ts'

const sent = 1_000_000

test.each([
  ['the middle of a fast round trip is its own time', { received: sent + 20, there: sent + 10 }, 0],
  ['a clock that is off a little is told as it is', { received: sent + 20, there: sent - 90 }, -100],
  [
    'a slow answer that was read at its end proves nothing',
    { received: sent + 1_100, there: sent + 1_090 },
    0,
  ],
  ['a slow answer that was read at its start proves nothing', { received: sent + 1_100, there: sent + 5 }, 0],
  ['what lies outside a slow round trip is certain', { received: sent + 1_000, there: sent + 1_700 }, 700],
  ['an hour behind is an hour behind', { received: sent + 20, there: sent - 3_600_000 }, -3_600_000],
])('%s', (_, look, offset) => {
  expect(clockOffset({ sent, ...look })).toBe(offset)
})
