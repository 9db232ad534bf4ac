import { spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { killedParent } from '../process/killed-parent.fixture.ts'
import { freePort } from '../process/port.ts'
import { isAlive } from '../process/process-table.ts'
import { run } from '../process/run.ts'
import { serviceUser } from '../process/service-user.ts'
import { findPackage, installPostgres } from './programs.ts'
import { type EmbeddedPostgres, type PostgresOptions, startPostgres } from './start.ts'

const isRoot = process.getuid?.() === 0
let root: string
let messages: string[]
const started: EmbeddedPostgres[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hearth-embedded-'))
  await chmod(root, 0o711)
  messages = []
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()))
  await rm(root, { recursive: true, force: true })
})

const folder = () => join(root, 'postgres')

async function start(changes: Partial<PostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startPostgres({
    folder: folder(),
    programs: join(tmpdir(), `hearth-testing-${process.getuid?.()}`, 'programs'),
    log: (message) => messages.push(message),
    durable: false,
    ...changes,
  })
  started.push(server)
  return server
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('what was written is there after a stop and a start, on the same port and with the same password', async () => {
  const first = await start()
  await query(first.url, 'create table kept (value int)')
  await query(first.url, 'insert into kept values (42)')
  await first.stop()
  await first.stop()
  expect(isAlive(first.pid)).toBe(false)
  const second = await start()
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'select value from kept')).toEqual([42])
})

test('it answers on the loopback address only, to the password only, and keeps the password to its owner', async () => {
  const { url, port } = await start()
  expect(await query(url, 'show listen_addresses')).toEqual(['127.0.0.1'])
  const wrong = new URL(url)
  wrong.password = 'guess'
  await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
  const { mode } = await stat(join(folder(), 'password'))
  expect(mode & 0o777).toBe(0o600)
  expect((await readFile(join(folder(), 'port'), 'utf8')).trim()).toBe(String(port))
})

test('it is durable unless told otherwise', async () => {
  expect(await query((await start({ durable: true })).url, 'show fsync')).toEqual(['on'])
})

test('a server that a killed parent left running is taken over, with its sessions', async () => {
  const left = await killedParent('startPostgres', { folder: folder(), durable: false })
  expect(isAlive(left.pid)).toBe(true)
  const session = new Client({ connectionString: left.url })
  await session.connect()
  const server = await start()
  expect(server).toMatchObject({ pid: left.pid, port: left.port, url: left.url })
  expect((await session.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await session.end()
  await server.stop()
  expect(isAlive(left.pid)).toBe(false)
})

test('a server that was left on another port than the one asked for is moved', async () => {
  const left = await killedParent('startPostgres', { folder: folder(), durable: false })
  const port = await freePort()
  const server = await start({ port })
  expect(server.port).toBe(port)
  expect(isAlive(left.pid)).toBe(false)
})

test('what was committed is there after the server itself was killed', async () => {
  const first = await start({ durable: true })
  await query(first.url, 'create table kept as select 42 as value')
  process.kill(first.pid, 'SIGKILL')
  await first.stop()
  const second = await start({ durable: true })
  expect(second.pid).not.toBe(first.pid)
  expect(await query(second.url, 'select value from kept')).toEqual([42])
})

test('a pid file whose pid is another process’s is ignored', async () => {
  const first = await start()
  await first.stop()
  const stranger = spawn('sleep', ['60'], { ...(await serviceUser()) })
  try {
    const stale = [stranger.pid, join(folder(), 'data'), 1, first.port, '', '127.0.0.1', ' 1 1', 'ready']
    await writeFile(join(folder(), 'data', 'postmaster.pid'), `${stale.join('\n')}\n`, { mode: 0o600 })
    const second = await start()
    expect(await query(second.url, 'select 1')).toEqual([1])
    expect(isAlive(stranger.pid ?? 0)).toBe(true)
  } finally {
    stranger.kill()
  }
})

test('a requested port that is in use is an error with a solution; for a remembered one another is used', async () => {
  const first = await start()
  await first.stop()
  const occupant = createServer()
  await new Promise<void>((resolve) => occupant.listen(first.port, '127.0.0.1', resolve))
  try {
    await expect(start({ port: first.port })).rejects.toThrow(`port ${first.port} of 127.0.0.1`)
    const second = await start()
    expect(second.port).not.toBe(first.port)
  } finally {
    await new Promise((resolve) => occupant.close(resolve))
  }
})

test('a server that does not start is reported with its last log lines', async () => {
  await (await start()).stop()
  await writeFile(join(folder(), 'data', 'PG_VERSION'), '9.6\n')
  await expect(start()).rejects.toThrow(/ended while it started[\s\S]*incompatible/)
})

test('a password that is not that of the data is reported at once, and no server is left running', async () => {
  const { pid, stop } = await start()
  await stop()
  await rm(join(folder(), 'password'))
  const begin = performance.now()
  await expect(start()).rejects.toThrow('bring back the file')
  expect(performance.now() - begin).toBeLessThan(10_000)
  expect(isAlive(pid)).toBe(false)
  await expect(readFile(join(folder(), 'data', 'postmaster.pid'))).rejects.toThrow('ENOENT')
})

test('an interrupted first start does not disturb a later one', async () => {
  await mkdir(join(folder(), 'data.unfinished'), { recursive: true })
  await writeFile(join(folder(), 'data.unfinished', 'PG_VERSION'), '15\n')
  const { url } = await start()
  expect(await query(url, 'select 1')).toEqual([1])
})

test('a folder with a path too long for a socket works without one', async () => {
  const server = await start({ folder: join(root, 'x'.repeat(90), 'postgres') })
  expect(await query(server.url, 'show unix_socket_directories')).toEqual([''])
})

test.runIf(isRoot)('it runs as nobody where nobody cannot read the package it comes from', async () => {
  const closed = join(root, 'closed')
  await mkdir(closed, { mode: 0o700 })
  const source = join(closed, 'linux-x64')
  await cp(findPackage(), source, { recursive: true })
  const user = await serviceUser()
  await expect(run('cat', [join(source, 'package.json')], { user })).rejects.toThrow('Permission denied')

  const programs = join(root, 'programs')
  await installPostgres(programs, () => undefined, source)
  const server = await start({ programs })
  expect(await query(server.url, 'select 1')).toEqual([1])
  expect((await stat(`/proc/${server.pid}`)).uid).toBe(user?.uid)
})

test.runIf(isRoot)('a folder that nobody cannot reach is named, with the way out', async () => {
  const closed = join(root, 'closed')
  await mkdir(closed, { mode: 0o700 })
  await expect(start({ folder: join(closed, 'postgres') })).rejects.toThrow(`chmod o+x ${closed}`)
})
