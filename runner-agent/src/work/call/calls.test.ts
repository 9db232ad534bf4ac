import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AskCall, ExecCall } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { CallLost, CallRefused } from '../../guest/call.ts'
import { MachineChanges } from '../machine-changes.ts'
import { callHandler } from './calls.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const environmentId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const operation = { key: '0'.repeat(64), digest: '1'.repeat(64) }
const head = { id: 'call', runnerId: 'runner-1', epoch: 1, environmentId, operation }
const never = new AbortController().signal
const ask: AskCall = {
  ...{ call: 'ask', ...head, method: 'POST', path: '/ingress/t', body: '' },
  ...{ isStreamed: false, isListening: false },
}
const exec: ExecCall = {
  ...{ call: 'exec', ...head, command: 'make', folder: '/home', timeoutSeconds: 60, sealedSecrets: null },
}

/** An agent with one machine, in which commands are run by `run`, and whose program is a server of this process. */
async function world({
  run,
  listener,
}: {
  run?: (wanted: unknown, signal: AbortSignal) => Promise<never>
  listener?: RequestListener
}) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const machine = { power: 'running', ownership: { owner: 'runner-1' }, environmentId }
  const reached: { at: { host: string; port: number } | null } = { at: { host: '127.0.0.1', port } }
  const machineChanges = new MachineChanges()
  const handle = callHandler({
    runnerId: 'runner-1',
    lease: { epoch: 1, assertHeld: async () => undefined },
    machines: {
      look: async () => ({ ...machine, address: null, identity: null }),
      reach: async () => reached.at,
    },
    machineChanges,
    guests: {
      closeUnused: () => undefined,
      taskRuns: () => () => undefined,
      use: () => ({ guest: { calls: { exec: run } }, release: () => undefined }),
    },
    sealingKey: '',
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
  } as never)
  return { handle, machine, machineChanges, reached }
}

test('a command whose connection was lost is not run again under its key, and both are told the same', async () => {
  let runs = 0
  const { handle } = await world({
    run: async () => {
      runs += 1
      throw new CallLost('cut')
    },
  })
  for (const _ of [1, 2])
    await expect(handle(exec, never)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the connection to the machine was lost meanwhile: whether it was done is not known',
    })
  expect(runs).toBe(1)
})

test('a command whose machine ended meanwhile is not run again under its key', async () => {
  let runs = 0
  const { handle, machine, machineChanges } = await world({
    run: (_, signal) => {
      runs += 1
      const ended = once(signal, 'abort').then((): never => {
        throw signal.reason
      })
      machine.power = 'shut_off'
      machineChanges.tell(environmentId)
      return ended
    },
  })
  await expect(handle(exec, never)).rejects.toThrow('the machine does not run')
  machine.power = 'running'
  await expect(handle(exec, never)).rejects.toThrow('the machine does not run')
  expect(runs).toBe(1)
})

test('a command that the guest refused may be asked for again under its key', async () => {
  let runs = 0
  const { handle } = await world({
    run: async () => {
      runs += 1
      throw new CallRefused('missing')
    },
  })
  for (const _ of [1, 2]) await expect(handle(exec, never)).rejects.toMatchObject({ code: 'not_found' })
  expect(runs).toBe(2)
})

test.each<{ how: string; listener: RequestListener }>([
  { how: 'broke the connection off', listener: ({ socket }) => socket.destroy() },
  {
    how: 'did not end its answer',
    listener: (_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('a part', () => response.destroy())
    },
  },
  { how: 'more than 262144 bytes', listener: (_, response) => response.end(Buffer.alloc(300_000)) },
  {
    how: 'what is no answer',
    listener: ({ socket }) => socket.end('HTTP/1.1 700 x\r\ncontent-length: 0\r\n\r\n'),
  },
])(
  'a program that has the rows and $how is not sent them again under their key',
  async ({ how, listener }) => {
    let asked = 0
    const { handle } = await world({
      listener: (request, response) => {
        asked += 1
        listener(request, response)
      },
    })
    for (const _ of [1, 2]) {
      const told = handle(ask, never)
      await expect(told).rejects.toBeInstanceOf(HearthError)
      await expect(told).rejects.toThrow(how)
    }
    expect(asked).toBe(1)
  },
)

test('a program that was not reached is sent the rows when it is asked again under their key', async () => {
  const { handle, reached } = await world({ listener: (_, response) => response.end('taken') })
  const { at } = reached
  reached.at = null
  await expect(handle(ask, never)).rejects.toThrow('is not reached at port')
  reached.at = at
  expect((await handle(ask, never)).content.toString()).toBe('taken')
})
