import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { GuestRun } from '../process.ts'
import { LocalGuest } from './process.fixture.ts'

let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => guest.remove())

type Readiness = NonNullable<GuestRun['readiness']>
const timing = { periodSeconds: 1, deadlineSeconds: 20 }

/** Follows a run that is stopped as soon as it is ready. */
async function untilReady(command: string, readiness: Readiness) {
  const run = guest.runOf(command, { readiness, folder: guest.folder })
  const { ended } = guest.follow(run, { onEvent: ({ kind }) => kind === 'ready' && void guest.stop() })
  const result = await ended
  const known = result.ended?.run
  expect(result.ready).toEqual([known?.readyAt])
  return { ...result, seconds: ((known?.readyAt ?? 0) - (known?.startedAt ?? 0)) / 1_000 }
}

test('by a command, that has the variables and folder of the run', async () => {
  const { seconds } = await untilReady('sleep 0.4; touch here; sleep 1000', {
    ...{ kind: 'command', command: '[ "$PWD/here" -ef here ]' },
    ...timing,
  })
  expect(seconds).toBeGreaterThan(0.4)
})

test('by a port that accepts', async () => {
  const server: TcpServer = createTcpServer((socket) => socket.end())
  const port = await listen(server)
  expect((await untilReady('sleep 1000', { kind: 'tcp', port, ...timing })).seconds).toBeLessThan(1)
})

test('by an answer over HTTP that is no error', async () => {
  let status = 503
  const paths: (string | undefined)[] = []
  const server: Server = createServer((request, response) => {
    paths.push(request.url)
    response.writeHead(status).end('x'.repeat(100_000))
    status = 302
  })
  const port = await listen(server)
  const { seconds } = await untilReady('sleep 1000', { kind: 'http', port, path: `/a?b='c'%20$d`, ...timing })
  expect(seconds).toBeGreaterThan(0.9)
  expect(paths).toEqual([`/a?b='c'%20$d`, `/a?b='c'%20$d`])
})

test('by a line of its output, wherever that stands', async () => {
  const text = `it's [ready] $now`
  const command = `seq 1 2000; printf 'now %s'  "it's "; sleep 0.5; printf '[ready] $now\\n'; sleep 1000`
  const { seconds } = await untilReady(command, { kind: 'log', contains: text, ...timing })
  expect(seconds).toBeGreaterThan(0.5)
})

test('a run that is not ready by its deadline is ended, and says why', async () => {
  const readiness: Readiness = { kind: 'log', contains: 'never', periodSeconds: 1, deadlineSeconds: 1 }
  const { ready, ended } = await guest.follow(guest.runOf('sleep 1000', { readiness })).ended
  expect(ready).toEqual([])
  expect(ended?.run).toMatchObject({ readyAt: null, ending: { cause: 'not_ready', signal: 'SIGTERM' } })
})

test('a run that ends before it is ready has ended by itself', async () => {
  const readiness: Readiness = { kind: 'command', command: 'sleep 1000', ...timing }
  const { ready, ended } = await guest.follow(guest.runOf('sleep 0.3; exit 2', { readiness })).ended
  expect(ready).toEqual([])
  expect(ended?.run).toMatchObject({ readyAt: null, ending: { cause: 'exit', exitCode: 2 } })
  await expect.poll(() => guest.processes()).toEqual([])
})

test('the deadline of the readiness does not end a run that was ready', async () => {
  const readiness: Readiness = { kind: 'command', command: 'true', periodSeconds: 1, deadlineSeconds: 1 }
  const { ended } = await guest.follow(guest.runOf('sleep 1.5; exit 6', { readiness })).ended
  expect(ended?.run.ending).toMatchObject({ cause: 'exit', exitCode: 6 })
})

async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}
