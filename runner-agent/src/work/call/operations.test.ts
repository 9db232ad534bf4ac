import { HearthError } from '@hearth/foundation'
import type { CallAnswer } from '@hearth/messaging'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CallLost } from '../../guest/call.ts'
import { GuestMisbehaved } from '../../guest/guest.ts'
import { Operations } from './operations.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const now = () => performance.now()
const forever = new AbortController().signal
const answer = (bytes = 1): CallAnswer => ({ reply: { reply: 'written' }, content: Buffer.alloc(bytes) })

test('an operation is done once while it runs and for ten minutes after, and another is refused under its key', async () => {
  const operations = new Operations(now)
  let runs = 0
  const run = (digest = 'a') =>
    operations.run('key', digest, forever, async () => {
      runs += 1
      return answer()
    })
  const [first, second] = await Promise.all([run(), run()])
  expect([second, runs]).toEqual([first, 1])
  await expect(run('b')).rejects.toMatchObject({ code: 'idempotency_mismatch' })
  vi.advanceTimersByTime(599_000)
  await run()
  expect(runs).toBe(1)
  vi.advanceTimersByTime(2_000)
  await run()
  expect(runs).toBe(2)
})

test('what all have left goes on for ten seconds, so that one of them can come back', async () => {
  const operations = new Operations(now)
  const stopped: unknown[] = []
  const run = (key: string, signal: AbortSignal) =>
    operations.run(key, 'a', signal, (stop) => {
      return new Promise((_, reject) =>
        stop.addEventListener('abort', () => {
          stopped.push(key)
          reject(stop.reason)
        }),
      )
    })
  const leaving = new AbortController()
  const [left, back] = [run('left', leaving.signal), run('back', leaving.signal)]
  const gone = Promise.allSettled([left, back])
  leaving.abort(new Error('left'))
  await gone
  vi.advanceTimersByTime(9_000)
  const again = run('back', forever)
  again.catch(() => undefined)
  vi.advanceTimersByTime(60_000)
  expect(stopped).toEqual(['left'])
  // It was ended, and is not begun anew.
  await expect(run('left', forever)).rejects.toMatchObject({ code: 'conflict' })
  expect(stopped).toEqual(['left'])
})

test('what may have been done is not done again; what was not begun may be', async () => {
  const operations = new Operations(now)
  let runs = 0
  const failing = (key: string, error: Error) =>
    operations.run(key, 'a', forever, async () => {
      runs += 1
      throw error
    })
  for (const _ of [1, 2]) await expect(failing('lost', new CallLost('cut'))).rejects.toThrow('cut')
  for (const _ of [1, 2]) await expect(failing('odd', new GuestMisbehaved('odd'))).rejects.toThrow('odd')
  expect(runs).toBe(2)
  const away = new HearthError('unavailable', 'away')
  for (const _ of [1, 2]) await expect(failing('away', away)).rejects.toThrow('away')
  expect(runs).toBe(4)
})

test('what a program refused may be asked again at once; what it did is not done again', async () => {
  const operations = new Operations(now)
  let runs = 0
  const run = (status: number) =>
    operations.run(`key of ${status}`, 'a', forever, async () => {
      runs += 1
      return { reply: { reply: 'asked', status, isEnd: true, bytes: 0 }, content: Buffer.alloc(0) }
    })
  for (const status of [400, 400, 409, 409, 429, 429, 503, 503]) await run(status)
  expect(runs).toBe(8)
  for (const status of [200, 200, 204, 204]) await run(status)
  expect(runs).toBe(10)
})

test('answers are forgotten, the oldest first, before they take more than 32 MiB', async () => {
  const operations = new Operations(now)
  let runs = 0
  const run = (key: string) =>
    operations.run(key, 'a', forever, async () => {
      runs += 1
      return answer(2 * 1024 * 1024)
    })
  for (let count = 0; count < 20; count += 1) {
    vi.advanceTimersByTime(1_000)
    await run(`key-${count}`)
  }
  await run('key-19')
  expect(runs).toBe(20)
  await run('key-0')
  expect(runs).toBe(21)
})
