import { HearthError } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { CommandError, exitCodeHelp, exitCodeOf, exitCodes } from './exit-codes.ts'

test.each([
  ['invalid', 2],
  ['too_large', 2],
  ['not_found', 3],
  ['pool_empty', 4],
  ['conflict', 4],
  ['stale_version', 4],
  ['unavailable', 5],
  ['unauthenticated', 5],
  ['forbidden', 5],
  ['internal', 1],
] as const)('%s ends with %i', (code, exit) => {
  expect(exitCodeOf(new HearthError(code, 'no'))).toBe(exit)
})

test('a command’s own status is kept, and any unexpected error is a failure', () => {
  expect(exitCodeOf(new CommandError('the guest said 42', 42))).toBe(42)
  expect(exitCodeOf(new Error('?'))).toBe(1)
  expect(exitCodeOf('?')).toBe(1)
})

test('every status is explained', () => {
  expect(exitCodeHelp.map(({ code }) => code).sort()).toEqual(Object.values(exitCodes).sort())
})
