import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hostNameCommand } from './host-name-command.ts'
import { startCommand } from './start-command.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-binding-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const log = () => join(folder, 'log', 'start.log')
const start = (command: string) =>
  spawnSync('bash', ['-c', startCommand(command, log()).command], { encoding: 'utf8', cwd: folder })

test('a start command that ends well, and one that fails, end so, with what they printed', () => {
  expect(start('echo done')).toMatchObject({ status: 0, stdout: 'done\n' })
  expect(start("echo 'no such port' >&2; exit 7")).toMatchObject({ status: 7, stdout: 'no such port\n' })
})

test('one that runs goes on after its step and its process group have ended, and its log is kept', async () => {
  const fifo = join(folder, 'go')
  spawnSync('mkfifo', [fifo])
  const { command } = startCommand(
    `echo began; read -r line <'${fifo}'; echo "went on: $line"; echo $$ >pid`,
    log(),
  )
  // A process group of its own, as the engine gives every command, is ended.
  const step = spawn('bash', ['-c', command], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  step.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const status = await new Promise((resolve) => step.on('close', resolve))
  expect(status).toBe(0)
  expect(said).toBe(`began\nIt runs on; what it prints is in ${log()}.\n`)
  try {
    process.kill(-(step.pid ?? 0), 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
  writeFileSync(fifo, 'hello\n')
  await expect.poll(() => readFileSync(log(), 'utf8')).toBe('began\nwent on: hello\n')
})

test.each([
  [
    '127.0.0.1 localhost\n127.0.1.1 old\n::1 localhost\n',
    '127.0.0.1 localhost\n127.0.1.1 review\n::1 localhost\n',
  ],
  ['127.0.0.1 localhost', '127.0.0.1 localhost\n127.0.1.1 review\n'],
])('the host name is changed everywhere at once, twice too: %j', (before, after) => {
  mkdirSync(join(folder, 'etc'))
  mkdirSync(join(folder, 'proc/sys/kernel'), { recursive: true })
  writeFileSync(join(folder, 'etc/hosts'), before)
  for (const _ of [1, 2]) {
    const { status, stderr } = spawnSync('bash', ['-c', hostNameCommand('review', folder).command], {
      encoding: 'utf8',
    })
    expect(status, stderr).toBe(0)
    expect(readFileSync(join(folder, 'etc/hosts'), 'utf8')).toBe(after)
    expect(readFileSync(join(folder, 'etc/hostname'), 'utf8')).toBe('review\n')
    expect(readFileSync(join(folder, 'proc/sys/kernel/hostname'), 'utf8')).toBe('review\n')
  }
})
