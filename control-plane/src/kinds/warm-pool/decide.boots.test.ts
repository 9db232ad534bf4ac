import { bootAttempts, type Failure } from '@hearth/contract'
import { expect, test } from 'vitest'
import { judgeBoots } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const failure: Failure = { code: 'command_failed', message: 'npm ci ended with 1', step: 'project_setup' }
const failed = (secondsAgo: number) => ({
  failed: true,
  at: new Date(now.getTime() - secondsAgo * 1000),
  failure,
})
const good = (secondsAgo: number) => ({ ...failed(secondsAgo), failed: false, failure: null })
const judge = (...recentBoots: ReturnType<typeof failed | typeof good>[]) =>
  judgeBoots({ recentBoots, bootRetryMilliseconds: 10_000, now })

test('each further failure waits longer before the next try', () => {
  expect(judge()).toEqual({ consecutive: 0, stopped: false, retryAt: null, failure: null })
  expect(judge(failed(1))).toMatchObject({
    consecutive: 1,
    retryAt: new Date(now.getTime() + 9_000),
    failure,
  })
  expect(judge(failed(1), failed(60))).toMatchObject({ retryAt: new Date(now.getTime() + 19_000) })
})

test('after as many in a row as are tried it stops, and says why', () => {
  const stopped = judge(...Array.from({ length: bootAttempts }, (_, index) => failed(index)))
  expect(stopped).toMatchObject({ stopped: true, failure: { code: 'boots_keep_failing' } })
  expect(stopped.failure?.message).toContain('npm ci ended with 1')
})

test('one good boot ends the count', () => {
  expect(judge(good(0), failed(1), failed(2), failed(3))).toMatchObject({ consecutive: 0, stopped: false })
  expect(judge(failed(1), good(2), failed(3), failed(4))).toMatchObject({ consecutive: 1 })
})
