import { existsSync, readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environmentFile } from '../environment-file.ts'
import type { RunEvent } from '../process.ts'
import { LocalGuest, origin, processId } from './process.fixture.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { staleExitCode } from './step-script.ts'

let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => guest.remove())

const endings: [what: string, command: string, ending: object][] = [
  ['exits with 0', 'true', { cause: 'exit', exitCode: 0, signal: null }],
  ['exits with 3', 'exit 3', { cause: 'exit', exitCode: 3, signal: null }],
  ['exits with 137', 'exit 137', { cause: 'exit', exitCode: 137, signal: null }],
  ['is killed', 'kill -9 $$', { cause: 'signal', exitCode: null, signal: 'SIGKILL' }],
  ['interrupts itself', 'kill -INT $$', { cause: 'signal', exitCode: null, signal: 'SIGINT' }],
  ['has a broken pipe', 'kill -PIPE $$', { cause: 'signal', exitCode: null, signal: 'SIGPIPE' }],
  ['ends by a real-time signal', 'kill -36 $$', { cause: 'signal', exitCode: null, signal: 'SIGRTMIN+2' }],
  ['ends all of its group', 'kill 0; sleep 30', { cause: 'signal', exitCode: null, signal: 'SIGTERM' }],
]
test.each(endings)('a command that %s is told apart', async (_, command, ending) => {
  const { ended, exitCode, stderr } = await guest.follow(guest.runOf(command)).ended
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(ended).toMatchObject({ outputBytes: 0, run: { number: 1, ending } })
  expect((await guest.newest())?.ending).toEqual(ended?.run.ending)
})

test('a run has its folder, its variables over those of the environment, no input, and both outputs in one', async () => {
  const nasty = `it's "quoted" $HOME \`id\` \\ ; & | < > * ? ~ # !\n\ttwo lines ü 漢 %s`
  await writeFile(
    guest.paths.environmentFile,
    environmentFile({ FIRST: 'file', SECOND: 'file', folder: '/x' }),
  )
  const command = `pwd; echo "$FIRST $SECOND $folder"; printf '%s' "$NASTY"; cat; echo on error >&2; umask; echo "$USER $HOME"`
  const variables = { SECOND: 'own', NASTY: nasty, command: 'exit 9', uid: '5', IFS: ':' }
  const { output, ended } = await guest.follow(guest.runOf(command, { variables })).ended
  expect(output.toString()).toBe(
    `${guest.folder}\nfile own /x\n${nasty}on error\n0022\n${process.env.USER ?? 'root'} /root\n`,
  )
  expect(ended?.run).toMatchObject({ request: 1, restarts: 0, ending: { cause: 'exit', exitCode: 0 } })
})

test('a run is started once, however often and by however many it is asked for', async () => {
  const run = guest.runOf(`echo run >>runs; sleep 0.5; echo end`)
  const all = await Promise.all([1, 2, 3, 4].map(() => guest.follow(run).ended))
  all.push(await guest.follow(run).ended)
  expect(readFileSync(join(guest.folder, 'runs'), 'utf8')).toBe('run\n')
  for (const { output, ended, ready } of all) {
    expect(output.toString()).toBe('end\n')
    expect(ready).toEqual([ended?.run.startedAt])
    expect(ended).toEqual(all[0]?.ended)
  }
})

test('the newest run is known while it runs, and of the older ones the last', async () => {
  expect(await guest.newest()).toBeNull()
  for (const number of [1, 2, 5])
    await guest.follow(guest.runOf(`echo ${number}`, { number, request: 7, restarts: number })).ended
  await guest.follow(guest.runOf('sleep 30', { number: 6 })).begun
  expect(await guest.newest()).toMatchObject({ number: 6, restarts: 0, ending: null })
  const kept = async () => (await readdir(join(guest.paths.ledger, processId))).sort()
  await expect.poll(kept).toEqual(['5', '6', 'fence'])
  expect((await guest.follow(guest.runOf('echo', { number: 2 })).ended).ended?.run).toMatchObject({
    number: 2,
    ending: { cause: 'lost' },
  })
  await guest.stop()
})

test('a new run waits for the end of the one before', async () => {
  const first = guest.follow(guest.runOf('sleep 1; echo end >>order'))
  await first.begun
  await guest.follow(guest.runOf('echo begin >>order', { number: 2 })).ended
  expect(readFileSync(join(guest.folder, 'order'), 'utf8')).toBe('end\nbegin\n')
  await first.ended
})

test('a run that had begun before a restart has ended as lost, and is not run again', async () => {
  const run = guest.runOf('echo half; echo run >>runs; sleep 30')
  const first = guest.follow(run, { onEvent: ({ kind }) => kind === 'output' && void guest.restart() })
  await first.ended
  const known = await guest.newest()
  expect(known).toMatchObject({
    number: 1,
    readyAt: known?.startedAt,
    ending: { cause: 'lost', exitCode: null, signal: null },
  })
  const again = await guest.follow(run).ended
  expect(again.output.toString()).toBe('half\n')
  expect(again.ended).toEqual({ kind: 'ended', run: known, outputBytes: 5 })
  expect(readFileSync(join(guest.folder, 'runs'), 'utf8')).toBe('run\n')
})

test('how a run ended is known after a restart too', async () => {
  const run = guest.runOf('echo said; exit 4')
  const before = await guest.follow(run).ended
  await guest.restart()
  const after = await guest.follow(run).ended
  expect(after.ended).toEqual(before.ended)
  expect(after.output.toString()).toBe('said\n')
})

test('a run whose supervisor was killed has ended as lost, and nothing of it goes on', async () => {
  const run = guest.runOf('echo $$ >pid; echo said; sleep 30')
  const killed = { onEvent: ({ kind }: RunEvent) => kind === 'output' && void guest.killSupervisors() }
  const { ended } = await guest.follow(run, killed).ended
  expect(ended?.run.ending).toMatchObject({ cause: 'lost' })
  const pid = Number(readFileSync(join(guest.folder, 'pid'), 'utf8'))
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
  expect((await guest.newest())?.ending?.cause).toBe('lost')
})

const refusals: [what: string, more: object, line: RegExp][] = [
  ['an unknown user', { user: 'nobody-of-that-name' }, /^hearth: there is no user nobody-of-that-name\n$/],
  [
    'a missing folder',
    { folder: '/no/such/folder' },
    /^hearth: the folder \/no\/such\/folder does not exist\n$/,
  ],
  ['a limit that cannot be set', { memoryMebibytes: 64 }, /^hearth: the machine has no control groups/],
]
test.each(refusals)('%s ends the run as refused, with a line that says so', async (_, more, line) => {
  const { output, ended } = await guest.follow(guest.runOf('touch "$HOME/never"', more)).ended
  expect(output.toString()).toMatch(line)
  expect(ended?.run.ending).toMatchObject({ cause: 'refused', exitCode: null, signal: null })
})

test.runIf(process.getuid?.() === 0)(
  'a run of another user has that user’s rights, and may open its own outputs',
  async () => {
    const command = 'id -un; id -Gn; echo "$HOME $USER"; cat "$file" || echo refused >/dev/stderr'
    await writeFile(guest.paths.environmentFile, environmentFile({ file: guest.paths.environmentFile }), {
      mode: 0o600,
    })
    const { output } = await guest.follow(guest.runOf(command, { user: 'nobody', folder: '/' })).ended
    expect(output.toString()).toMatch(
      /^nobody\nnogroup\n\/nonexistent nobody\ncat: .*Permission denied\nrefused\n$/,
    )
  },
)

test('an older agent or order starts no run and stops none; who only looks may be older', async () => {
  const run = guest.runOf('sleep 30')
  await guest.follow(run, { origin: origin(2, 3) }).begun
  const second = guest.runOf('touch never', { number: 2 })
  for (const older of [origin(1, 9), origin(2, 2)]) {
    const { exitCode, stderr } = await guest.stop(older)
    expect([exitCode, parseStaleNumbers(stderr)]).toEqual([staleExitCode, { epoch: 2, generation: 3 }])
  }
  const looking = guest.follow(run, { origin: origin(1, 1) })
  await looking.begun
  await guest.stop(origin(2, 4))
  expect((await looking.ended).ended?.run.ending?.cause).toBe('stopped')
  expect((await guest.follow(second, { origin: origin(2, 3) }).ended).exitCode).toBe(staleExitCode)
  // Other processes have numbers of their own.
  const other = guest.runOf('true', { processId: 'another' })
  expect((await guest.follow(other, { origin: origin(1, 1) }).ended).ended?.run.ending?.exitCode).toBe(0)
  expect(existsSync(join(guest.folder, 'never'))).toBe(false)
})

test('what is forgotten leaves nothing, and a run that goes on is not forgotten', async () => {
  const { begun } = guest.follow(guest.runOf('sleep 30'))
  await begun
  expect((await guest.forget()).exitCode).toBe(77)
  await guest.stop()
  expect((await guest.forget(origin(1, 0))).exitCode).toBe(staleExitCode)
  expect(await guest.forget()).toEqual({ exitCode: 0, stderr: '' })
  expect(await guest.forget()).toEqual({ exitCode: 0, stderr: '' })
  expect(await readdir(guest.paths.ledger)).toEqual([])
  expect(await readdir(guest.paths.state)).toEqual([])
  expect(await guest.newest()).toBeNull()
})

test('secret variables are in no file, no command line and no other process', async () => {
  const secret = 'hunter2-in-confidence'
  const run = guest.runOf(`printf %s "$SECRET" | wc -c; ps axww -o args | grep -c hunter[2]; sleep 0.5`, {
    variables: { SECRET: secret },
    readiness: { kind: 'command', command: '[ -n "$SECRET" ]', periodSeconds: 1, deadlineSeconds: 30 },
  })
  const { begun, ended } = guest.follow(run)
  await begun
  expect(await filesWith(secret)).toEqual([])
  const { output, ready } = await ended
  expect(output.toString()).toBe(`${secret.length}\n0\n`)
  expect(ready).toHaveLength(1)
  expect(await filesWith(secret)).toEqual([])
})

async function filesWith(text: string): Promise<string[]> {
  const entries = await readdir(guest.folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  expect(files.length).toBeGreaterThan(5)
  return files.filter((file) => readFileSync(file, 'latin1').includes(text))
}

test.runIf(process.getuid?.() === 0)('a full disk loses no outcome, and refuses the next run', async () => {
  const small = await guest.withSmallDisk()
  try {
    const fill = `dd if=/dev/zero of="$LEDGER/fill" bs=4k 2>/dev/null; echo said; exit 5`
    const run = guest.runOf(fill, { variables: { LEDGER: guest.paths.ledger } })
    expect((await guest.follow(run).ended).ended?.run.ending).toMatchObject({ cause: 'exit', exitCode: 5 })
    await guest.restart()
    expect((await guest.newest())?.ending).toMatchObject({ cause: 'exit', exitCode: 5 })
    const next = await guest.follow(guest.runOf('true', { number: 2, processId: 'next' })).ended
    expect(next.output.toString()).toBe('hearth: the disk of the machine is full\n')
    expect(next.ended?.run.ending).toMatchObject({ cause: 'refused' })
  } finally {
    await small[Symbol.asyncDispose]()
  }
})

test('nothing is left behind of a run but its ledger', async () => {
  await guest.follow(guest.runOf('true')).ended
  await expect.poll(() => guest.processes()).toEqual([])
})
