import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { identityOf } from '../process/identity.ts'
import { holderOf, lockState } from './state-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-lock-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a second process is refused with the pid of the first, until that one releases the lock', () => {
  const release = lockState(folder)
  expect(() => lockState(folder)).toThrow(
    expect.objectContaining({ code: 'conflict', message: expect.stringContaining(String(process.pid)) }),
  )
  expect(holderOf(folder)?.pid).toBe(process.pid)
  release()
  expect(holderOf(folder)).toBeNull()
  lockState(folder)()
  expect(readdirSync(folder)).toEqual([])
})

test('a lock is free when its process is gone or its pid is another process’s', async () => {
  const child = spawn('sleep', ['30'])
  await once(child, 'spawn')
  const identity = identityOf(child.pid ?? 0)
  writeFileSync(join(folder, 'dev.pid'), JSON.stringify({ ...identity, startTime: '1' }))
  lockState(folder)()
  writeFileSync(join(folder, 'dev.pid'), JSON.stringify(identity))
  expect(() => lockState(folder)).toThrow(/process id/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockState(folder)()
})
