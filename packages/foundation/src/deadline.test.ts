import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Deadline } from './deadline.ts'

test('it aborts when the time is up, even if only its signal is referenced', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const other = new AbortController()
  const signal = (() => new Deadline(50, other.signal).signal)()
  const aborted = new Promise<unknown>((resolve) =>
    signal.addEventListener('abort', () => resolve(signal.reason)),
  )
  collectGarbage()
  expect(await aborted).toEqual(new Error('no answer in time'))
})

test('it aborts with any other signal, at once if that has already aborted, and not after it is disposed of', () => {
  const one = new AbortController()
  const two = new AbortController()
  const deadline = new Deadline(60_000, one.signal, two.signal)
  two.abort('enough')
  expect([deadline.signal.aborted, deadline.signal.reason, deadline.hasPassed]).toEqual([
    true,
    'enough',
    false,
  ])
  deadline[Symbol.dispose]()
  using late = new Deadline(60_000, two.signal)
  expect(late.signal.reason).toBe('enough')
  const disposed = new Deadline(60_000, one.signal)
  disposed[Symbol.dispose]()
  one.abort()
  expect(disposed.signal.aborted).toBe(false)
})
