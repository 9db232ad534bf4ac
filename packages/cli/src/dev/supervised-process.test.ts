import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { identityOf, type ProcessIdentity } from '../process/identity.ts'
import { SupervisedProcess } from './supervised-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-supervised-'))
afterAll(() => rmSync(folder, { recursive: true }))

function supervised(script: string, finalExits: Record<number, string> = {}) {
  const notes: string[] = []
  const started: ProcessIdentity[] = []
  const process = new SupervisedProcess(
    {
      name: 'thing',
      program: 'sh',
      arguments: ['-c', script],
      variables: { PATH: '/usr/bin:/bin' },
      logFile: join(folder, `${Math.random()}.log`),
      finalExits,
    },
    { started: (_, identity) => started.push(identity), note: (text) => notes.push(text) },
  )
  return { process, notes, started }
}

test('a process that dies is reported and restarted; one that is stopped stays stopped', async () => {
  const mark = join(folder, 'mark')
  const { process, notes, started } = supervised(
    `test -e ${mark} && exec sleep 60; touch ${mark}; echo once; exit 7`,
  )
  process.start()
  await vi.waitFor(() => expect(started).toHaveLength(2), 5_000)
  expect(notes).toEqual([expect.stringContaining('ended with status 7; starting it again in 0.5 s')])
  expect(readFileSync(process.logFile, 'utf8')).toBe('once\n')
  await process.stop()
  expect(identityOf(started[1]?.pid ?? 0)).toBeNull()
  expect(notes).toHaveLength(1)
})

test('after a final exit status it is not restarted', async () => {
  const { process, notes, started } = supervised('sleep 0.2; exit 3', { 3: 'another agent has taken over' })
  process.start()
  await vi.waitFor(() => expect(notes).toHaveLength(1), 5_000)
  expect(notes[0]).toContain('another agent has taken over')
  expect(started).toHaveLength(1)
  await process.stop()
})

test('its log says why it is not running', async () => {
  const path = join(folder, 'said')
  writeFileSync(path, '')
  const { process } = supervised('echo port taken; exit 3', { 3: 'no use' })
  process.start()
  await vi.waitFor(
    () => expect(() => process.assertRunning((file) => readFileSync(file, 'utf8'))).toThrow('port taken'),
    5_000,
  )
  await process.stop()
})
