import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environmentFile } from '../environment-file.ts'
import type { GuestStep } from '../guest.ts'
import { parseStepOutcome } from './step-outcome.ts'
import { buildLauncher, buildStepScript, type GuestPaths } from './step-script.ts'

let folder: string
let paths: GuestPaths
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth step's folder "))
  paths = { ledger: join(folder, 'steps'), environmentFile: join(folder, '.env'), home: folder }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const step = (commands: [name: string, command: string, timeoutSeconds?: number][]): GuestStep => ({
  key: 'project_setup-1',
  folder,
  commands: commands.map(([name, command, timeoutSeconds]) => ({
    name,
    command,
    timeoutSeconds: timeoutSeconds ?? null,
  })),
  limitSeconds: 60,
  onlyWithExecutable: null,
})

/** Runs the launcher as the SSH server would. */
function launch(given: GuestStep, options: { offset?: number; cutAt?: number } = {}) {
  const script = Buffer.from(buildStepScript(given, paths))
  const child = spawn('bash', ['-c', buildLauncher(given.key, script.length, options.offset ?? 0, paths)])
  child.stdin.on('error', () => undefined)
  child.stdin.end(script.subarray(0, options.cutAt))
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString()
  })
  const ended = new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (exitCode) => resolve({ exitCode, ...said })),
  )
  return { child, ended }
}

test('commands run in order, each announced, in the step’s folder', async () => {
  const { stdout, stderr } = await launch(
    step([
      ['one', 'echo 1; pwd'],
      ['two', 'echo 2 >&2'],
    ]),
  ).ended
  expect(stdout).toBe(`==> one\n1\n${folder}\n==> two\n2\n`)
  expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'succeeded' })
})

test('nasty names, commands and values come through as they are', async () => {
  const nasty = `it's "quoted" $HOME \`id\` \\ ; & | < > * ? ~ # !\n\ttwo lines ü 漢 %s`
  await writeFile(
    paths.environmentFile,
    environmentFile({ NASTY: nasty, folder: '/nowhere', limit: 'x', SECONDS: '9999', code: '3' }),
  )
  const given = step([
    [`na'me $(id) %s`, `cat <<'END'\nit's $HOME\nEND\nprintf '%s' "$NASTY"`],
    ['after', 'echo; echo "$folder $limit"'],
  ])
  const { stdout, stderr } = await launch(given).ended
  expect(stdout).toBe(`==> na'me $(id) %s\nit's $HOME\n${nasty}==> after\n\n/nowhere x\n`)
  expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'succeeded' })
})

test('the first command that fails ends the step with its exit code', async () => {
  const given = step([
    ['good', 'true'],
    ['bad', 'echo no; exit 7'],
    ['never', 'echo never'],
  ])
  const { stdout, stderr } = await launch(given).ended
  expect(stdout).toBe('==> good\n==> bad\nno\n')
  expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'failed', exitCode: 7, command: 1, cause: 'exit' })
})

test('a command’s own exit code 124 is not taken for the end of its time', async () => {
  const { stderr } = await launch(step([['odd', 'exit 124', 30]])).ended
  expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'failed', exitCode: 124, cause: 'exit' })
})

test('a command that outlives its time is ended with all it started', async () => {
  const given = step([['slow', `sleep 30 & echo $! >"${join(folder, 'child')}"; wait`, 1]])
  const { stderr } = await launch(given).ended
  expect(parseStepOutcome(stderr)).toMatchObject({
    kind: 'failed',
    cause: 'deadline',
    command: 0,
    limitSeconds: 1,
  })
  const child = Number(await readFile(join(folder, 'child'), 'utf8'))
  // Gone, or ended and only not yet collected.
  const state = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => ') Z ')
  expect(state).toContain(') Z ')
})

test('a step is run once, however often and by however many it is started', async () => {
  const given = step([['count', `echo run >>"${join(folder, 'runs')}"; sleep 0.5; echo end`]])
  const launches = await Promise.all([1, 2, 3, 4].map(() => launch(given).ended))
  launches.push(await launch(given).ended)
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('run\n')
  for (const { stdout, stderr } of launches) {
    expect(stdout).toBe('==> count\nend\n')
    expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'succeeded' })
  }
})

test('a killed follower neither ends nor repeats the step, and the next one follows on from its offset', async () => {
  const given = step([['slow', `echo begin; sleep 1; echo run >>"${join(folder, 'runs')}"; echo end`]])
  const first = launch(given)
  await new Promise((resolve) => first.child.stdout.once('data', resolve))
  first.child.kill('SIGKILL')
  await first.ended
  const { stdout, stderr } = await launch(given, { offset: '==> slow\nbegin\n'.length }).ended
  expect(stdout).toBe('end\n')
  expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'succeeded' })
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('run\n')
})

test('a script that did not arrive whole starts nothing', async () => {
  const given = step([['never', `touch "${join(folder, 'never')}"`]])
  expect((await launch(given, { cutAt: 100 }).ended).exitCode).toBe(75)
  await expect(readFile(join(folder, 'never'))).rejects.toThrow()
  expect(parseStepOutcome((await launch(given).ended).stderr)).toMatchObject({ kind: 'succeeded' })
})

test('a step that was begun on an earlier boot and left no exit code is lost', async () => {
  const ledger = join(paths.ledger, 'project_setup-1')
  await mkdir(ledger, { recursive: true })
  for (const [name, text] of Object.entries({
    script: 'x',
    run: '',
    pid: '1',
    boot: 'another',
    output: 'half\n',
  })) {
    await writeFile(join(ledger, name), `${text}\n`)
  }
  const { stdout, stderr } = await launch(step([['again', 'echo again']])).ended
  expect(stdout).toBe('half\n\n')
  expect(parseStepOutcome(stderr)).toEqual({ kind: 'lost' })
})

test('without the file it is for, a step is skipped', async () => {
  const given = { ...step([['init', 'echo never']]), onlyWithExecutable: '.hearth/init' }
  const { stdout, stderr } = await launch(given).ended
  expect(stdout).toBe('')
  expect(parseStepOutcome(stderr)).toMatchObject({ kind: 'skipped' })
})

test('a command may be larger than one argument of a program', async () => {
  const { stdout } = await launch(step([['large', `: '${'x'.repeat(200_000)}'\necho done`]])).ended
  expect(stdout).toBe('==> large\ndone\n')
})
