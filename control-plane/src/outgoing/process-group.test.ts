import { execFileSync } from 'node:child_process'
import { expect, test, vi } from 'vitest'
import { type Program, runInGroup } from './process-group.ts'

const never = new AbortController().signal
const bounds = { deadlineMilliseconds: 10_000, mostBytes: 1_000 }
const shell = (script: string): Program => ({ command: 'sh', arguments: ['-c', script], environment: {} })

/** Whether a process with this word in its command line runs; zombies do not count. */
function isRunning(word: string): boolean {
  const lines = execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' }).split('\n')
  return lines.some((line) => !line.startsWith('Z') && line.includes(word))
}
let count = 0
/** A `sleep` that no other process has in its command line. */
const sleep = () => `${700 + count++}.${process.pid}`

test('the output and exit status of a program are returned', async () => {
  expect(await runInGroup(shell('echo heard; exit 3'), bounds, never)).toEqual({
    exitCode: 3,
    output: 'heard\n',
  })
})

test('the environment of this process is not passed on', async () => {
  vi.stubEnv('HEARTH_DATABASE_URL', 'postgresql://secret')
  vi.stubEnv('SSH_AUTH_SOCK', '/run/agent')
  const end = await runInGroup(shell('env | sort'), bounds, never)
  expect(end?.output).not.toMatch(/HEARTH|SSH_|HOME|USER/)
  vi.unstubAllEnvs()
})

test('at the deadline the program and all its helpers are ended, even one that ignores SIGTERM', async () => {
  const seconds = sleep()
  const hang = shell(`trap '' TERM; sleep ${seconds} & sleep ${seconds}`)
  expect(await runInGroup(hang, { ...bounds, deadlineMilliseconds: 300 }, never)).toBeNull()
  await vi.waitFor(() => expect(isRunning(seconds)).toBe(false))
})

test('when the caller gives up, the program is ended', async () => {
  const seconds = sleep()
  const asking = new AbortController()
  const ended = runInGroup(shell(`sleep ${seconds}`), bounds, asking.signal)
  await vi.waitFor(() => expect(isRunning(seconds)).toBe(true), { timeout: 5_000 })
  asking.abort()
  expect(await ended).toBeNull()
  await vi.waitFor(() => expect(isRunning(seconds)).toBe(false))
})

test('a helper that outlives its program is ended with it', async () => {
  const seconds = sleep()
  const end = await runInGroup(shell(`sleep ${seconds} & echo done`), bounds, never)
  expect(end).toEqual({ exitCode: 0, output: 'done\n' })
  await vi.waitFor(() => expect(isRunning(seconds)).toBe(false))
})

test('a program with endless output or memory use is ended', async () => {
  expect(await runInGroup(shell('yes'), bounds, never)).toBeNull()
  const greedy = await runInGroup(shell('tail -c 4G /dev/zero'), bounds, never)
  expect(greedy?.exitCode).not.toBe(0)
})

test('a missing program is named in the error', async () => {
  const missing: Program = { command: 'hearth-no-such-program', arguments: [], environment: {} }
  expect((await runInGroup(missing, bounds, never))?.exitCode).toBe(127)
})
