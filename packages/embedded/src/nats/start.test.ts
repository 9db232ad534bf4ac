import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectMessaging } from '@hearth/messaging'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { killedParent } from '../process/killed-parent.fixture.ts'
import { isAlive } from '../process/process-table.ts'
import { serviceUser } from '../process/service-user.ts'
import { type EmbeddedNats, type NatsServerOptions, startNatsServer } from './start.ts'

let root: string
const started: EmbeddedNats[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hearth-embedded-'))
  await chmod(root, 0o711)
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()))
  await rm(root, { recursive: true, force: true })
})

const folder = () => join(root, 'nats')

async function start(changes: Partial<NatsServerOptions> = {}): Promise<EmbeddedNats> {
  const server = await startNatsServer({
    folder: folder(),
    programs: join(tmpdir(), `hearth-testing-${process.getuid?.()}`, 'programs'),
    log: () => undefined,
    authorization: false,
    ...changes,
  })
  started.push(server)
  return server
}

async function connects(server: EmbeddedNats, credentials?: string): Promise<void> {
  const messaging = await connectMessaging({
    servers: [server.url],
    name: 'test',
    ...(credentials === undefined ? {} : { credentials }),
  })
  await messaging.ensureStreams()
  await messaging.close()
}

test('it serves JetStream, stops when told, and comes back on the same port', async () => {
  const first = await start()
  await connects(first)
  await first.stop()
  await first.stop()
  expect(isAlive(first.pid)).toBe(false)
  const second = await start()
  expect(second.url).toBe(first.url)
  await connects(second)
  expect((await stat(`/proc/${second.pid}`)).uid).toBe((await serviceUser())?.uid ?? process.getuid?.())
})

test('with authorization its keys are made once and kept to their owner', async () => {
  const first = await start({ authorization: true })
  const file = first.controlPlaneCredentialsFile ?? ''
  const credentials = await readFile(file, 'utf8')
  await connects(first, credentials)
  await expect(connects(first)).rejects.toMatchObject({ code: 'unauthenticated' })
  for (const secret of [
    file,
    first.accountSeedFile ?? '',
    first.signingSeedFile ?? '',
    first.systemCredentialsFile ?? '',
    join(folder(), 'operator.json'),
  ]) {
    expect((await stat(secret)).mode & 0o777).toBe(0o600)
  }
  await first.stop()
  const second = await start({ authorization: true })
  await connects(second, credentials)
})

test('a server that a killed parent left running is taken over', async () => {
  const left = await killedParent('startNatsServer', { folder: folder(), authorization: false })
  expect(isAlive(left.pid)).toBe(true)
  const server = await start()
  expect(server).toMatchObject({ pid: left.pid, url: left.url })
  await server.stop()
  expect(isAlive(left.pid)).toBe(false)
})

test('a server left running with other settings is replaced', async () => {
  const left = await killedParent('startNatsServer', { folder: folder(), authorization: false })
  const server = await start({ authorization: true })
  expect(isAlive(left.pid)).toBe(false)
  expect(server.pid).not.toBe(left.pid)
  await expect(connects(server)).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('a stale pid file is ignored', async () => {
  const first = await start()
  process.kill(first.pid, 'SIGKILL')
  await first.stop()
  const second = await start()
  expect(second.pid).not.toBe(first.pid)
  await connects(second)
})

test('a requested port that is in use, and a missing program, are named in the error', async () => {
  const occupant = createServer()
  await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve))
  const address = occupant.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1`)
  await new Promise((resolve) => occupant.close(resolve))
  await expect(start({ natsServer: '/bin/true' })).rejects.toThrow('/bin/true is not a NATS server')
})
