import { expect, test } from 'vitest'
import { formatAge, formatDuration } from './duration.ts'

test.each([
  [0, '0 ms'],
  [340.4, '340 ms'],
  [1_240, '1.2 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [93_600_000, '1 d 2 h'],
])('%d milliseconds read %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})

test.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m'],
  [3_599, '59m'],
  [86_399, '23h'],
  [864_000, '10d'],
])('%d seconds ago is %s', (seconds, text) => {
  const now = new Date('2026-11-20T18:00:00.000Z')
  expect(formatAge(new Date(now.getTime() - seconds * 1_000).toISOString(), now)).toBe(text)
})

test('a clock that runs behind the server’s shows no negative age', () => {
  expect(formatAge('2026-11-20T18:00:05.000Z', new Date('2026-11-20T18:00:00.000Z'))).toBe('0s')
})
