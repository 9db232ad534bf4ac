import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messagesOf } from '@hearth/control-plane'
import { eventually } from '@hearth/testing'
import { afterAll, expect, test } from 'vitest'
import { type PipelineRun, startPipelineRun, stepsIn, tellingOfSync } from './pipeline-run.ts'

/** The toolchain `command` by itself: lines of one's own that check, build and run a program. */
const folder = mkdtempSync(join(tmpdir(), 'hearth-command-'))
const patience = { timeoutMilliseconds: 20_000 }
const started: PipelineRun[] = []
afterAll(async () => {
  for (const run of started) await run.stop()
  rmSync(folder, { recursive: true, force: true })
})

const programOf = (configuration: Record<string, string>, code = '') => ({
  toolchain: 'command' as const,
  code,
  configuration,
})

async function start(name: string, line: string, wish: Record<string, unknown> = { desired: 'running' }) {
  const watched = tellingOfSync(join(folder, 'watched'))
  const run = await startPipelineRun(join(folder, name), programOf({ run: line }), wish, watched)
  started.push(run)
  return run
}

/** Writes a number that rises, and one that a process of its own group and session writes. */
const counts = `mkdir -p "$PIPELINE_VOLUME"
setsid bash -c 'i=0; while :; do i=$((i+1)); echo $i >"$PIPELINE_VOLUME/far"; sleep 0.01; done' &
trap 'echo stored >"$PIPELINE_VOLUME/state"; exit 0' TERM
i=0; while :; do i=$((i+1)); echo $i >"$PIPELINE_VOLUME/near"; sleep 0.01; done`

const volume = (name: string, file: string) => join(folder, name, 'volume', file)
const read = (name: string, file: string) =>
  existsSync(volume(name, file)) ? readFileSync(volume(name, file), 'utf8') : ''
const moves = async (name: string) => {
  const before = ['near', 'far'].map((file) => read(name, file))
  await eventually(
    async () =>
      ['near', 'far'].every((file, index) => read(name, file) !== before[index] && read(name, file) !== '')
        ? true
        : null,
    patience,
  )
}

function step(name: string, which: 'check' | 'build', program: ReturnType<typeof programOf>) {
  const wanted = stepsIn(join(folder, name), program)[which]
  if (wanted === null) return null
  const { status, stdout, stderr } = spawnSync('bash', ['-c', wanted.command], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...wanted.variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { status, output: stdout + stderr }
}

test('lines that a program does not have are no steps, and what a build leaves is there for its run', async () => {
  const build = 'tr a-z A-Z <code >built'
  const program = programOf({ build, run: 'cat built; exec sleep infinity' }, "it's code\n")
  expect(step('built', 'check', program)).toBeNull()
  expect(step('built', 'build', program)).toEqual({ status: 0, output: '' })
  const run = await startPipelineRun(join(folder, 'built'), program, { desired: 'running' })
  started.push(run)
  await run.until('running')
  await eventually(async () => (run.output().includes("IT'S CODE\n") ? true : null), patience)
})

test('a program reads how it is to be run, which its build is not told', async () => {
  const settings = { workers: 3, settings: { rate: 0.5, words: ['é', '"'] } }
  const build = 'echo "[$PIPELINE_RUNTIME]"'
  const run = 'cat "$PIPELINE_RUNTIME"; echo; exec sleep infinity'
  const program = { ...programOf({ build, run }), runtime: settings }
  expect(step('told', 'build', program)).toEqual({ status: 0, output: '[]\n' })
  const telling = await startPipelineRun(join(folder, 'told'), program, { desired: 'running' })
  started.push(telling)
  const told = await eventually(async () => telling.output().match(/^\{.*$/m)?.[0] ?? null, patience)
  expect(JSON.parse(told)).toMatchObject(settings)
})

test('what a check prints as compilers do is a fault with its line and column', () => {
  const check = `printf 'code:3:7: error: no such name\\n'; exit 2`
  const checked = step('faulty', 'check', programOf({ check, run: 'true' }))
  expect(checked?.status).toBe(2)
  expect(messagesOf(checked?.output ?? '', { hasFailed: true })).toMatchObject([
    { startLine: 3, startColumn: 7, message: 'code: no such name', isWarning: false },
  ])
})

test('a line reaches its shell as it is, whatever is in it', () => {
  const check = `printf '%s\\n' "it's \\$HOME" 'a'\nprintf 'EOF %s\\n' '$(id)' # no comment\nexit 3`
  expect(step('quoted', 'check', programOf({ check, run: 'true' }))).toEqual({
    status: 3,
    output: "it's $HOME\na\nEOF $(id)\n",
  })
})

test('a machine without what the toolchain needs says so, and what to do', () => {
  const { run } = stepsIn(join(folder, 'bare'), programOf({ run: 'true' }))
  const bash = spawnSync('bash', ['-c', 'command -v bash'], { encoding: 'utf8' }).stdout.trim()
  const { status, stderr } = spawnSync(bash, ['-c', run?.command ?? ''], {
    encoding: 'utf8',
    env: { PATH: '/nowhere', ...run?.variables },
  })
  expect(status).toBe(125)
  expect(stderr).toContain(
    'has no tar, which the toolchain of this pipeline needs: choose an environment class',
  )
})

test('it stands still while it is paused, with all that it has started, goes on, and is suspended when all has ended', async () => {
  const run = await start('life', counts)
  await run.until('running')
  await moves('life')
  run.wish({ desired: 'paused' })
  await run.until('paused')
  const still = ['near', 'far'].map((file) => read('life', file))
  // Two turns of its loops would have passed.
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(['near', 'far'].map((file) => read('life', file))).toEqual(still)
  run.wish({ desired: 'running' })
  await run.until('running')
  await moves('life')
  run.wish({ desired: 'paused' })
  await run.until('paused')
  run.wish({ desired: 'suspended' })
  expect(await run.ended(), run.output()).toBe(0)
  expect(read('life', 'state')).toBe('stored\n')
  // Its machine is taken away as soon as this is read, and nothing is unmounted.
  expect(run.output()).toMatch(/synced\n.*"suspended"/)
  expect(run.journal().map(({ status }) => status)).toEqual([
    ...['initializing', 'running', 'paused', 'running', 'paused', 'suspended'],
  ])
  const after = read('life', 'far')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(read('life', 'far')).toBe(after)
})

test('one that is to be paused, or a standby, begins when it is to run', async () => {
  const run = await start('later', counts, { desired: 'standby' })
  await run.until('standby')
  run.wish({ desired: 'paused' })
  await run.until('paused')
  expect(read('later', 'near')).toBe('')
  run.wish({ desired: 'running' })
  await run.until('running')
  await moves('later')
  expect(await run.stop()).toBe(143)
  expect(read('later', 'state')).toBe('stored\n')
})

test('one that ends by itself is an error, and takes with it what it has started', async () => {
  const run = await start('short', `${counts.split('\n').slice(0, 2).join('\n')}\nsleep 0.2`)
  expect(await run.ended()).toBe(1)
  expect(run.output()).toContain('the program has ended by itself, with exit status 0')
  const after = read('short', 'far')
  expect(after).not.toBe('')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(read('short', 'far')).toBe(after)
})
