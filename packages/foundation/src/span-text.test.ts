import { expect, test } from 'vitest'
import { spanText } from './span-text.ts'

test.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m0s'],
  [1_800, '30m0s'],
  [3_600, '1h0m0s'],
  [3_725, '1h2m5s'],
  [604_800, '168h0m0s'],
])('%d seconds are %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text)
})
