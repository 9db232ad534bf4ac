import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EventLoopWatch, type Stall } from './event-loop-watch.ts'

let stalls: Stall[]
let watch: EventLoopWatch
beforeEach(() => {
  stalls = []
  watch = new EventLoopWatch({ stallMilliseconds: 50, onStall: (stall) => stalls.push(stall) })
})
afterEach(() => watch[Symbol.dispose]())

/** Computes until the given processor time is used, however long that takes on a busy machine. */
function compute(milliseconds: number) {
  const begun = process.cpuUsage()
  for (let used = 0; used < milliseconds; ) {
    const { user, system } = process.cpuUsage(begun)
    used = (user + system) / 1_000
  }
}

const seen = async (matches: (stall: Stall) => boolean) => {
  await expect.poll(() => stalls.some(matches), { timeout: 10_000 }).toBe(true)
}

test('a long computation is reported with its name and duration', async () => {
  await delay(100)
  watch.note('GET /v1/slow')
  compute(400)
  await seen(({ noted }) => noted.includes('GET /v1/slow'))
  expect(stalls.find(({ noted }) => noted.length > 0)?.milliseconds).toBeGreaterThan(300)
})

test('what was noted before a stall is not blamed for it', async () => {
  watch.note('before')
  await delay(200)
  stalls.length = 0
  compute(400)
  await seen(({ milliseconds }) => milliseconds > 300)
  expect(stalls.flatMap(({ noted }) => noted)).toEqual([])
})

test('time in which the process got no processor is reported separately', async () => {
  await delay(100)
  // The thread sleeps without computing.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  await seen(({ cause, milliseconds }) => cause === 'waiting' && milliseconds > 300)
})
