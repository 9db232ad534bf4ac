import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environmentFile } from '../environment-file.ts'
import type { GuestStep, Origin, StepOutcome } from '../guest.ts'
import { buildLauncher } from './step-launcher.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { buildStepScript, type GuestPaths, staleExitCode } from './step-script.ts'
import { StepStream } from './step-stream.ts'

let folder: string
let paths: GuestPaths
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth step's folder "))
  paths = {
    ledger: join(folder, 'steps'),
    state: join(folder, 'state'),
    fence: join(folder, 'fence'),
    environmentFile: join(folder, '.env'),
    home: folder,
  }
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
  syncs: false,
})

const origin = (epoch: number, generation: number): Origin => ({ runnerId: 'runner-1', epoch, generation })

const delimiter = 'hearth-0123456789abcdef'

interface Launched {
  exitCode: number | null
  stderr: string
  /** For each step. */
  stdout: string[]
  outcomes: StepOutcome[]
}

/** Runs the launcher as the SSH server would. */
function launch(
  given: GuestStep | GuestStep[],
  options: { offset?: number; cutAt?: number; origin?: Origin; shell?: string[] } = {},
) {
  const steps = [given].flat()
  const scripts = steps.map((each) => Buffer.from(buildStepScript(each, paths, 1)))
  const launched = steps.map(({ key }, index) => ({
    key,
    scriptBytes: scripts[index]?.length ?? 0,
    offset: index === 0 ? (options.offset ?? 0) : 0,
  }))
  const [program = '', ...words] = options.shell ?? ['bash', '-c']
  const launcher = buildLauncher(launched, options.origin ?? origin(1, 1), delimiter, paths)
  const child = spawn(program, [...words, ...(options.shell === undefined ? [] : ['bash']), launcher])
  child.stdin.on('error', () => undefined)
  child.stdin.end(Buffer.concat(scripts).subarray(0, options.cutAt))
  const stream = new StepStream(delimiter, 0)
  const said: Launched = { exitCode: null, stderr: '', stdout: steps.map(() => ''), outcomes: [] }
  child.stdout.on('data', (chunk: Buffer) => {
    for (const event of stream.push(chunk)) {
      if (event.kind === 'output') said.stdout[event.index] += event.chunk.toString()
      else said.outcomes.push(event.outcome)
    }
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString()
  })
  const ended = new Promise<Launched>((resolve) =>
    child.on('close', (exitCode) => resolve({ ...said, exitCode })),
  )
  return { child, ended }
}

test('commands run in order, each announced, in the step’s folder', async () => {
  const { stdout, outcomes } = await launch(
    step([
      ['one', 'echo 1; pwd'],
      ['two', 'echo 2 >&2'],
    ]),
  ).ended
  expect(stdout[0]).toBe(`==> one\n1\n${folder}\n==> two\n2\n`)
  expect(outcomes[0]).toMatchObject({ kind: 'succeeded' })
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
  const { stdout, outcomes } = await launch(given).ended
  expect(stdout[0]).toBe(`==> na'me $(id) %s\nit's $HOME\n${nasty}==> after\n\n/nowhere x\n`)
  expect(outcomes[0]).toMatchObject({ kind: 'succeeded' })
})

test('the first command that fails ends the step with its exit code', async () => {
  const given = step([
    ['good', 'true'],
    ['bad', 'echo no; exit 7'],
    ['never', 'echo never'],
  ])
  const { stdout, outcomes } = await launch(given).ended
  expect(stdout[0]).toBe('==> good\n==> bad\nno\n')
  expect(outcomes[0]).toMatchObject({ kind: 'failed', exitCode: 7, command: 1, cause: 'exit' })
})

test('a command’s own exit code 124 is not taken for a passed deadline', async () => {
  const { outcomes } = await launch(step([['odd', 'exit 124', 30]])).ended
  expect(outcomes[0]).toMatchObject({ kind: 'failed', exitCode: 124, cause: 'exit' })
})

test('at its deadline a command is ended with everything it started', async () => {
  const given = step([['slow', `sleep 30 & echo $! >"${join(folder, 'child')}"; wait`, 1]])
  const { outcomes } = await launch(given).ended
  expect(outcomes[0]).toMatchObject({
    kind: 'failed',
    cause: 'deadline',
    command: 0,
    limitSeconds: 1,
  })
  expect(await isOver('child')).toBe(true)
})

/** Whether the process whose id a command wrote to a file has ended; zombies count as ended. */
async function isOver(file: string): Promise<boolean> {
  const id = Number(await readFile(join(folder, file), 'utf8'))
  const state = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => ') Z ')
  return state.includes(') Z ')
}

test('a command that ignores SIGTERM is killed, and the output has nothing but its own', async () => {
  const stubborn = `trap '' TERM; echo $$ >"${join(folder, 'stubborn')}"; echo here; while :; do sleep 30; done`
  const { stdout, outcomes } = await launch(step([['stubborn', stubborn, 1]])).ended
  expect(stdout[0]).toBe('==> stubborn\nhere\n')
  expect(outcomes[0]).toMatchObject({ kind: 'failed', exitCode: 137, cause: 'deadline', limitSeconds: 1 })
  expect(await isOver('stubborn')).toBe(true)
})

test('a command that ends all of its own processes ends the step at once', async () => {
  const { outcomes } = await launch(step([['own end', 'kill 0; sleep 30', 30]])).ended
  expect(outcomes[0]).toMatchObject({ kind: 'failed', exitCode: 143, cause: 'exit' })
})

test('a command ends at its deadline even if nobody waits for it', async () => {
  const given = step([['orphan', `echo $$ >"${join(folder, 'orphan')}"; echo begin; sleep 30`, 1]])
  const { child, ended } = launch(given)
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const shell = Number(await readFile(join(paths.state, 'project_setup-1', 'pid'), 'utf8'))
  process.kill(shell, 'SIGKILL')
  expect((await ended).outcomes[0]).toEqual({ kind: 'lost', reason: 'cut_short' })
  await expect.poll(() => isOver('orphan'), { timeout: 5_000 }).toBe(true)
})

test('a step runs once, however often and by however many it is started', async () => {
  const given = step([['count', `echo run >>"${join(folder, 'runs')}"; sleep 0.5; echo end`]])
  const launches = await Promise.all([1, 2, 3, 4].map(() => launch(given).ended))
  launches.push(await launch(given).ended)
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('run\n')
  for (const { stdout, outcomes } of launches) {
    expect(stdout[0]).toBe('==> count\nend\n')
    expect(outcomes[0]).toMatchObject({ kind: 'succeeded' })
  }
})

test('a killed follower neither ends nor repeats the step, and the next one continues from its offset', async () => {
  const given = step([['slow', `echo begin; sleep 1; echo run >>"${join(folder, 'runs')}"; echo end`]])
  const first = launch(given)
  await new Promise((resolve) => first.child.stdout.once('data', resolve))
  first.child.kill('SIGKILL')
  await first.ended
  const { stdout, outcomes } = await launch(given, { offset: '==> slow\nbegin\n'.length }).ended
  expect(stdout[0]).toBe('end\n')
  expect(outcomes[0]).toMatchObject({ kind: 'succeeded' })
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('run\n')
})

test('a script that did not arrive whole starts nothing', async () => {
  const given = step([['never', `touch "${join(folder, 'never')}"`]])
  expect((await launch(given, { cutAt: 100 }).ended).exitCode).toBe(75)
  await expect(readFile(join(folder, 'never'))).rejects.toThrow()
  expect((await launch(given).ended).outcomes[0]).toMatchObject({ kind: 'succeeded' })
})

/** Simulates a restart of the guest: what was in memory is gone. */
const restart = () => rm(paths.state, { recursive: true })

test('a step that began before a restart and left no exit code is lost, and not run again', async () => {
  const given = step([['once', `echo half; echo run >>"${join(folder, 'runs')}"; kill -9 $PPID; sleep 1`]])
  expect((await launch(given).ended).outcomes[0]).toMatchObject({ kind: 'lost' })
  await restart()
  const { stdout, outcomes } = await launch(given).ended
  expect(stdout[0]).toBe('==> once\nhalf\n')
  expect(outcomes[0]).toEqual({ kind: 'lost', reason: 'cut_short' })
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('run\n')
})

test('the outcome of a step is known after a restart too, and the next step follows', async () => {
  const given = [named('a-1', `echo a >>"${join(folder, 'runs')}"`), named('b-1', 'exit 3')]
  await launch(given.slice(0, 1)).ended
  await restart()
  const first = await launch(given).ended
  await restart()
  const second = await launch(given).ended
  for (const { outcomes } of [first, second]) {
    expect(outcomes).toMatchObject([
      { kind: 'succeeded' },
      { kind: 'failed', exitCode: 3, command: 0, cause: 'exit' },
    ])
  }
  expect(second.outcomes).toEqual(first.outcomes)
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('a\n')
})

/** Runs the launcher in its own namespaces, with a disk of 64 KiB mounted for the ledger. */
const withSmallDisk = (ledger: string) => [
  'unshare',
  ...['--mount', '--map-root-user', 'bash', '-c'],
  `mkdir -p '${ledger.replaceAll("'", "'\\''")}' && mount -t tmpfs -o size=64k none "$_" && exec bash -c "$1"`,
]

test('a step that fills the disk fails with its outcome, and so do those after it', async () => {
  const fill = `fallocate -l $(df --output=avail -B1 "$STEPS" | tail -1) "$STEPS/fill"; dd if=/dev/zero of="$STEPS/fill2" bs=4k; exit 1`
  await writeFile(paths.environmentFile, environmentFile({ STEPS: paths.ledger }))
  const options = { shell: withSmallDisk(paths.ledger) }
  const filled = await launch([named('a-1', fill), named('b-1', 'echo next')], options).ended
  expect(filled.outcomes).toMatchObject([{ kind: 'failed', exitCode: 1, command: 0, cause: 'exit' }])
  const quiet = await launch(
    [named('c-1', fill.replace('exit 1', 'exit 0')), named('d-1', 'echo next')],
    options,
  ).ended
  expect(quiet.outcomes).toMatchObject([{ kind: 'succeeded' }, { kind: 'failed', cause: 'disk' }])
})

test.each([
  ['short', `printf 'a\\0b\\n\\n\\0'`, 'a\0b\n\n\0'],
  ['long', `head -c 5000 /dev/zero | tr '\\0' x; printf '\\0'`, `${'x'.repeat(5000)}\0`],
  ['of a step that takes a while', `printf 'a\\0'; sleep 0.6; printf b`, 'a\0b'],
])('output that is %s comes whole, whatever its bytes', async (_, command, expected) => {
  const { stdout } = await launch(step([['print', command]])).ended
  expect(stdout[0]).toBe(`==> print\n${expected}`)
})

test('a step is skipped without the file it is for', async () => {
  const given = { ...step([['init', 'echo never']]), onlyWithExecutable: '.hearth/init' }
  const { stdout, outcomes } = await launch(given).ended
  expect(stdout[0]).toBe('')
  expect(outcomes[0]).toMatchObject({ kind: 'skipped' })
})

test('a command may be larger than one argument of a program', async () => {
  const { stdout } = await launch(step([['large', `: '${'x'.repeat(200_000)}'\necho done`]])).ended
  expect(stdout[0]).toBe('==> large\ndone\n')
})

test('the ledger says for whom a step was started; an older agent or order starts nothing more', async () => {
  const named = (key: string) => ({ ...step([['say', 'echo said']]), key })
  await launch(named('first-1'), { origin: origin(2, 3) }).ended
  expect(await readFile(join(paths.ledger, 'first-1', 'origin'), 'utf8')).toBe('runner-1 2 3\n')
  for (const older of [origin(1, 9), origin(2, 2)]) {
    const { exitCode, stdout, stderr } = await launch(named('second-1'), { origin: older }).ended
    expect([exitCode, stdout[0], parseStaleNumbers(stderr)]).toEqual([
      staleExitCode,
      '',
      { epoch: 2, generation: 3 },
    ])
  }
  // A step that already runs may be followed by any agent.
  expect((await launch(named('first-1'), { origin: origin(1, 1) }).ended).stdout[0]).toContain('said')
  expect((await launch(named('second-1'), { origin: origin(3, 3) }).ended).stdout[0]).toContain('said')
  expect(await readFile(paths.fence, 'utf8')).toBe('3 3\n')
  expect(await readFile(join(paths.state, 'fence'), 'utf8')).toBe('3 3\n')
})

const named = (key: string, command: string): GuestStep => ({ ...step([['it', command]]), key })

test('steps follow each other without requests, and stop at the first that fails', async () => {
  const given = [named('a-1', 'echo a'), named('b-1', 'echo b; exit 3'), named('c-1', 'echo c')]
  const { stdout, outcomes, exitCode } = await launch(given).ended
  expect(stdout).toEqual(['==> it\na\n', '==> it\nb\n', ''])
  expect(outcomes.map(({ kind }) => kind)).toEqual(['succeeded', 'failed'])
  expect(exitCode).toBe(0)
})

test('a killed follower does not stop the next steps, and the next follower reports all', async () => {
  const log = join(folder, 'runs')
  const given = [
    named('a-1', `echo begin; sleep 0.7; echo a >>"${log}"`),
    named('b-1', `echo b >>"${log}"`),
    named('c-1', `echo c >>"${log}"; echo end`),
  ]
  const first = launch(given)
  await new Promise((resolve) => first.child.stdout.once('data', resolve))
  first.child.kill('SIGKILL')
  await first.ended
  const both = await Promise.all([launch(given).ended, launch(given).ended])
  for (const { stdout, outcomes } of both) {
    expect(stdout[2]).toBe('==> it\nend\n')
    expect(outcomes.map(({ kind }) => kind)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  }
  expect(await readFile(log, 'utf8')).toBe('a\nb\nc\n')
})
