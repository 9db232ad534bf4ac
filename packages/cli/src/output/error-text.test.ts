import { HearthError } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { errorText } from './error-text.ts'

test('each invalid part of the input has its line', () => {
  const error = new HearthError('invalid', 'the project does not fit', {
    details: [
      { field: 'spec.min', given: '-1', expected: 'at least 0' },
      { field: 'name', given: '', expected: 'a name' },
    ],
  })
  expect(errorText(error).split('\n')).toEqual([
    'the project does not fit',
    '  spec.min: given -1, expected at least 0',
    '  name: expected a name',
  ])
})

test('a value in the message is not repeated', () => {
  const error = new HearthError('invalid', 'body.spec.min: must be at least 0, got -1; and 1 more', {
    details: [
      { field: 'body.spec.min', given: '-1', expected: 'at least 0' },
      { field: 'body.name', given: '"A"', expected: 'lower-case letters' },
    ],
  })
  expect(errorText(error).split('\n')).toEqual([
    'body.spec.min: must be at least 0, got -1; and 1 more',
    '  body.name: given "A", expected lower-case letters',
  ])
})

test('an unreachable server comes with advice; an internal error names the request', () => {
  expect(errorText(new HearthError('unavailable', 'no answer', { facts: { url: 'http://x' } }))).toContain(
    'hearth dev',
  )
  expect(errorText(new HearthError('unavailable', 'git is missing'))).toBe('git is missing')
  expect(errorText(new HearthError('internal', 'oh', { facts: { requestId: 'r-7' } }))).toContain('r-7')
})

test('an error that is not a HearthError shows its message', () => {
  expect(errorText(new Error('disk full'))).toBe('disk full')
  expect(errorText('odd')).toBe('odd')
})
