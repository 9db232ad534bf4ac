import { expect, test } from 'vitest'
import { bytesPerTurn, Turns } from './turns.ts'

test('other work runs after each slice of output, and not before', async () => {
  let others = 0
  const turns = new Turns(async () => {
    others += 1
  })
  for (let spent = 0; spent < 10 * bytesPerTurn; spent += 32 * 1024) await turns.spend(32 * 1024)
  expect(others).toBe(10)
})
