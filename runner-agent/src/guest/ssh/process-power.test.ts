import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalGuest, origin, processId } from './process.fixture.ts'

/** What is kept of a run when the power fails. */
let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => guest.remove())

const keptOf = (number: number, name: string) => join(guest.paths.ledger, processId, String(number), name)
const request = 7

type Damage = (path: string) => Promise<void>
const damages: [how: string, damage: Damage][] = [
  ['empty', (path) => writeFile(path, '')],
  ['cut short', async (path) => writeFile(path, (await readFile(path)).subarray(0, 24))],
  ['all zeros', async (path) => writeFile(path, Buffer.alloc((await readFile(path)).length))],
  ['of another text', (path) => writeFile(path, 'cause exit\nexit 0\nrequest x\n')],
  ['gone', (path) => rm(path)],
]

test.each(damages)('an outcome that is %s is that of a lost run', async (_, damage) => {
  const run = guest.runOf('echo said; exit 4', { request })
  const before = await guest.follow(run).ended
  await guest.restart()
  await damage(keptOf(1, 'outcome'))
  const known = await guest.newest()
  const { startedAt, readyAt } = before.ended?.run ?? {}
  const lost = { cause: 'lost', exitCode: null, signal: null }
  expect(known).toMatchObject({ number: 1, request, restarts: 0, startedAt, readyAt, ending: lost })
  const after = await guest.follow(run).ended
  expect([after.output.toString(), after.ended?.run]).toEqual(['said\n', known])
  await othersGoOn()
})

test.each(damages)('a run whose record is %s keeps its end and its request', async (_, damage) => {
  const run = guest.runOf('echo said; exit 4', { request })
  const before = await guest.follow(run).ended
  await guest.restart()
  await damage(keptOf(1, 'known'))
  const known = await guest.newest()
  const ending = before.ended?.run.ending
  const startedAt = ending?.finishedAt
  expect(known).toEqual({ number: 1, request, restarts: 0, startedAt, readyAt: null, ending })
  expect((await guest.follow(run).ended).ended?.run).toEqual(known)
  await othersGoOn()
})

test.each(damages)(
  'a run of which everything is %s has been lost, and is not run again',
  async (_, damage) => {
    const run = guest.runOf('echo run >>runs; echo said; sleep 30', { request })
    await guest.follow(run, { onEvent: ({ kind }) => kind === 'output' && void guest.restart() }).ended
    for (const name of ['known', 'outcome']) await damage(keptOf(1, name))
    const known = await guest.newest()
    expect(known).toMatchObject({ number: 1, request, readyAt: null, ending: { cause: 'lost' } })
    expect((await guest.follow(run).ended).ended?.run).toEqual(known)
    expect(readFileSync(join(guest.folder, 'runs'), 'utf8')).toBe('run\n')
    await othersGoOn()
  },
)

/** The next run of the process begins, and then all of it is forgotten. */
async function othersGoOn(): Promise<void> {
  const next = await guest.follow(guest.runOf('exit 5', { number: 2, request: request + 1 })).ended
  expect(next.ended?.run).toMatchObject({ number: 2, request: request + 1, ending: { exitCode: 5 } })
  expect(await guest.newest()).toEqual(next.ended?.run)
  expect(await guest.forget()).toEqual({ exitCode: 0, stderr: '' })
}

test.each(damages)('numbers of orders that are %s refuse nobody', async (_, damage) => {
  await guest.follow(guest.runOf('true'), { origin: origin(3, 3) }).ended
  await guest.restart()
  await damage(join(guest.paths.ledger, processId, 'fence'))
  const { exitCode, ended } = await guest.follow(guest.runOf('true', { number: 2 }), { origin: origin(2, 2) })
    .ended
  expect([exitCode, ended?.run.ending?.cause]).toEqual([0, 'exit'])
})

/** Programs find this one in place of the real `sync`. */
async function withSync(script: string): Promise<void> {
  const folder = join(guest.folder, 'programs')
  await mkdir(folder)
  await writeFile(join(folder, 'sync'), `#!/bin/bash\n${script}\n`)
  await chmod(join(folder, 'sync'), 0o755)
  guest.environment.PATH = `${folder}:${guest.environment.PATH}`
}

test('a command begins when the disk has its record, with the request, and all folders above it', async () => {
  const synced = join(guest.folder, 'synced')
  const known = keptOf(1, 'known')
  const note = `printf '%s\\n' "$@" >>${quoted(synced)}; grep -q 'request ${request}' ${quoted(known)} && echo known >>order`
  await withSync(`cd ${quoted(guest.folder)}; sleep 0.5; ${note}; exec /bin/sync "$@"`)
  await guest.follow(guest.runOf('echo begun >>order', { request })).ended
  const order = readFileSync(join(guest.folder, 'order'), 'utf8').split('\n')
  expect(order.slice(0, 2)).toEqual(['known', 'begun'])
  const { ledger } = guest.paths
  const needed = [known, keptOf(1, 'outcome'), keptOf(1, '.'), join(ledger, processId), ledger]
  expect(readFileSync(synced, 'utf8').split('\n')).toEqual(expect.arrayContaining([...needed, guest.folder]))
})

test('a command does not begin where the disk does not keep its record', async () => {
  await withSync('exit 1')
  const { output, ended } = await guest.follow(guest.runOf('touch never')).ended
  expect(output.toString()).toBe('hearth: the disk of the machine does not keep what is written to it\n')
  expect(ended?.run.ending?.cause).toBe('refused')
  expect(existsSync(join(guest.folder, 'never'))).toBe(false)
})

const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`
