import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { identityOf, isAlive, parseStat } from './identity.ts'

test('a program name with brackets and spaces is read correctly', () => {
  const text = `4 (a) b (c) S ${Array.from({ length: 18 }, (_, index) => index).join(' ')} 98765 1 2`
  expect(parseStat(text)).toEqual({ state: 'S', startTime: '98765' })
})

test('a process is itself while it lives, and another start time is another process', async () => {
  const child = spawn('sleep', ['30'])
  await once(child, 'spawn')
  const identity = identityOf(child.pid ?? 0)
  if (identity === null) throw new Error('the child is not there')
  expect(isAlive(identity)).toBe(true)
  expect(isAlive({ ...identity, startTime: '1' })).toBe(false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(identity)).toBe(false)
})
