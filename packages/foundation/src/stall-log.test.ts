import { expect, test } from 'vitest'
import { stallLog } from './stall-log.ts'

test('ten lines a minute are written, and then the number of those left out', () => {
  const lines: Record<string, unknown>[] = []
  let now = 0
  const tell = stallLog(
    (fields) => lines.push(fields),
    () => now,
  )
  const stall = {
    milliseconds: 80,
    computedMilliseconds: 70,
    cause: 'busy' as const,
    noted: ['GET /v1/slow'],
  }
  for (let count = 0; count < 25; count += 1) tell(stall)
  expect(lines).toEqual(Array(10).fill(stall))
  now = 60_000
  tell(stall)
  expect(lines[10]).toEqual({ ...stall, notLogged: 15 })
  tell(stall)
  expect(lines[11]).toEqual(stall)
})
