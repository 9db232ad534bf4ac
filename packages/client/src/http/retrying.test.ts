import { HearthError } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { isRateLimited, retrying } from './retrying.ts'

const limited = (retryAfterSeconds: unknown) =>
  new HearthError('rate_limited', 'too often', { facts: { retryAfterSeconds } })

test('a request that was refused by a rate limit is repeated after the given time', async () => {
  const started = performance.now()
  let tries = 0
  const answer = await retrying(3).execute(() => {
    tries += 1
    if (tries === 1) throw limited(0.3)
    return 'answered'
  })
  expect([answer, tries]).toEqual(['answered', 2])
  expect(performance.now() - started).toBeGreaterThanOrEqual(300)
})

test.each([
  [limited(10), true],
  [limited(60), false],
  [limited('soon'), false],
  [new HearthError('quota_exceeded', 'no more', { facts: { retryAfterSeconds: 1 } }), false],
])('%s is tried again: %s', (error, again) => {
  expect(isRateLimited(error)).toBe(again)
})
