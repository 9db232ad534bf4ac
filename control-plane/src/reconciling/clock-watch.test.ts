import { FixedClock } from '@hearth/foundation'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchClock } from './clock-watch.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('a clock that is set back is noticed once, one that is set forward or kept right is not', () => {
  const clock = new FixedClock(new Date('2026-01-01T00:00:00Z'))
  const back: number[] = []
  const stop = watchClock(clock, (milliseconds) => back.push(milliseconds))
  const pass = (clockMilliseconds: number) => {
    clock.advance(clockMilliseconds)
    vi.advanceTimersByTime(1_000)
  }
  pass(1_000)
  pass(1_000_000)
  pass(1_000)
  pass(500)
  expect(back).toEqual([])
  pass(1_000 - 900_000)
  pass(1_000)
  expect(back).toEqual([900_000])
  stop()
  pass(-900_000)
  expect(back).toEqual([900_000])
})
