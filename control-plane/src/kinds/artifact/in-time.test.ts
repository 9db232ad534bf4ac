import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { inTime } from './in-time.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

async function* pieces(count: number, seconds: number): AsyncGenerator<number> {
  for (let at = 0; at < count; at += 1) {
    await vi.advanceTimersByTimeAsync(seconds * 1_000)
    yield at
  }
}

const collect = async (items: AsyncIterable<number>) => {
  const all: number[] = []
  for await (const item of inTime(items, { uploadSeconds: 100, stalledSeconds: 10 })) all.push(item)
  return all
}

test('all that comes in time is passed on', async () => {
  expect(await collect(pieces(9, 9))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('what was passed on is not kept', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const given: WeakRef<object>[] = []
  const many = (async function* () {
    for (let number = 0; number < 100; number += 1) {
      const piece = { number }
      given.push(new WeakRef(piece))
      yield piece
    }
  })()
  for await (const { number } of inTime(many, { uploadSeconds: 100, stalledSeconds: 10 })) {
    if (number < 99) continue
    // Until its job has ended what a WeakRef is made of stays.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(given.filter((piece) => piece.deref() !== undefined).length).toBeLessThan(5)
  }
})

test('one that stands still is given up', async () => {
  await expect(collect(pieces(2, 11))).rejects.toThrow('the file stood still for 10 s: send it again')
})

test('one that comes a little at a time is given up in the end', async () => {
  await expect(collect(pieces(20, 9))).rejects.toThrow('the file did not come whole within 100 s')
})

test('one that never comes is given up, and not waited for', async () => {
  const never = (async function* () {
    await new Promise<never>(() => undefined)
    yield 0
  })()
  const collected = expect(collect(never)).rejects.toThrow('stood still')
  await vi.advanceTimersByTimeAsync(10_000)
  await collected
})

test('an error is passed on', async () => {
  const failing = (async function* () {
    yield 1
    throw new Error('disconnected')
  })()
  await expect(collect(failing)).rejects.toThrow('disconnected')
})
