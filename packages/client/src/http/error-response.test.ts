import { expect, test } from 'vitest'
import { errorOfResponse } from './error-response.ts'

const body = (code: string) =>
  JSON.stringify({
    error: {
      code,
      message: 'no',
      details: [{ field: 'spec.min', given: '-1', expected: 'at least 0' }],
      facts: { currentVersion: 4 },
      requestId: 'r-1',
    },
  })

test('the code, the details and the facts of the body are kept', () => {
  const error = errorOfResponse(409, body('stale_version'))
  expect(error.code).toBe('stale_version')
  expect(error.details).toEqual([{ field: 'spec.min', given: '-1', expected: 'at least 0' }])
  expect(error.facts).toEqual({ currentVersion: 4, requestId: 'r-1', status: 409 })
})

test('an unknown code falls back to the meaning of the status', () => {
  expect(errorOfResponse(404, body('gone_fishing')).code).toBe('not_found')
  expect(errorOfResponse(400, body('constructor')).code).toBe('invalid')
})

test.each([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [409, 'conflict'],
  [413, 'too_large'],
  [429, 'rate_limited'],
  [503, 'unavailable'],
  [502, 'unavailable'],
  [400, 'invalid'],
  [500, 'internal'],
] as const)('status %i with a body of another program is %s', (status, code) => {
  const error = errorOfResponse(status, '<html>nginx</html>')
  expect(error.code).toBe(code)
  expect(error.message).not.toContain('nginx')
})
