import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AskCall } from '@hearth/contract'
import { afterEach, expect, test } from 'vitest'
import { MachineChanges } from '../machine-changes.ts'
import { Exchanges } from './exchanges.ts'
import { OpenCalls } from './open-calls.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const environmentId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const ownership = { owner: 'runner-1' }
const never = new AbortController().signal
let last = 0
const call = (changed: Partial<AskCall> = {}): AskCall => ({
  ...{ call: 'ask', id: `ask-${++last}`, runnerId: 'runner-1', epoch: 1, environmentId },
  ...{ method: 'GET', path: '/query?sql=1', body: null, operation: null },
  ...{ isStreamed: true, isListening: false },
  ...changed,
})
const more = (ask: string, of = environmentId) => ({
  ...{ call: 'more' as const, id: 'more', runnerId: 'runner-1', epoch: 1, environmentId: of, ask },
})
const leave = (ask: string) => ({ ...more(ask), call: 'leave' as const })

/** An agent with one machine, whose program is a server of this process. */
async function world(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asked: number[] = []
  const machine = { power: 'running', ownership, environmentId, address: null, identity: null }
  const machines = {
    look: async () => machine as never,
    reach: async (_: string, wanted: number) => {
      asked.push(wanted)
      return { host: '127.0.0.1', port }
    },
  }
  const open = new OpenCalls()
  const machineChanges = new MachineChanges()
  const busy = { count: 0 }
  const guests = {
    taskRuns: () => {
      busy.count += 1
      return () => {
        busy.count -= 1
      }
    },
  }
  const lease = { assertHeld: async () => undefined }
  const context = { runnerId: 'runner-1', lease, machines, machineChanges, guests }
  return { exchanges: new Exchanges(context as never, open), open, machine, machineChanges, asked, busy }
}

async function readAll(exchanges: Exchanges, asked: AskCall): Promise<Buffer> {
  const first = await exchanges.ask(asked, never)
  const pieces = [first.content]
  let isEnd = first.reply.reply === 'asked' && first.reply.isEnd
  while (!isEnd) {
    const { reply, content } = await exchanges.more(more(asked.id), never)
    pieces.push(content)
    isEnd = reply.reply === 'piece' && reply.isEnd
  }
  return Buffer.concat(pieces)
}

test('a request gets to the program with its body, and its answer comes in pieces, byte for byte', async () => {
  const sent = Buffer.alloc(3_000_000, 'abcdefg')
  const seen: unknown[] = []
  const { exchanges, asked, busy } = await world((request, response) => {
    const body: Buffer[] = []
    request.on('data', (piece: Buffer) => body.push(piece))
    request.on('end', () => {
      seen.push([request.method, request.url, Buffer.concat(body).toString()])
      response.end(sent)
    })
  })
  const body = Buffer.from('1,é\n')
  const of = call({ method: 'POST', path: '/ingress/t?format=csv', body: body.toString('base64') })
  expect((await readAll(exchanges, of)).equals(sent)).toBe(true)
  expect(seen).toEqual([['POST', '/ingress/t?format=csv', '1,é\n']])
  expect(asked).toEqual([8_080])
  expect(busy.count).toBe(0)
  await expect(exchanges.more(more(of.id), never)).rejects.toThrow('not read any more')
})

test('a program that says much waits for who listens', async () => {
  let written = 0
  const { exchanges } = await world((_, response) => {
    const piece = Buffer.alloc(64 * 1024)
    const write = () => {
      while (written < 200_000_000) {
        written += piece.length
        if (!response.write(piece)) {
          response.once('drain', write)
          return
        }
      }
      response.end()
    }
    write()
  })
  const asked = call()
  const { content } = await exchanges.ask(asked, never)
  expect(content.length).toBeLessThanOrEqual(256 * 1024)
  for (let read = 0; read < 4; read += 1) await exchanges.more(more(asked.id), never)
  // What sockets and streams hold, and no more.
  expect(written).toBeLessThan(50_000_000)
  exchanges.leave(leave(asked.id))
})

test('who leaves ends the request in the machine, whenever that is', async () => {
  const gone: Promise<unknown>[] = []
  const { exchanges, busy } = await world((request, response) => {
    gone.push(once(request.socket, 'close'))
    if (request.url === '/egress/t') response.write('first')
  })
  const asked = call({ path: '/egress/t' })
  expect((await exchanges.ask(asked, never)).content.toString()).toBe('first')
  const left = new AbortController()
  const waiting = exchanges.more(more(asked.id), left.signal)
  left.abort(new Error('the caller has left'))
  await expect(waiting).rejects.toThrow('has left')
  const another = call({ path: '/egress/t' })
  await exchanges.ask(another, never)
  exchanges.leave(leave(another.id))
  const unanswered = new AbortController()
  const silent = exchanges.ask(call({ path: '/silent' }), unanswered.signal)
  setTimeout(() => unanswered.abort(new Error('the caller has left')), 50)
  await expect(silent).rejects.toThrow('has left')
  await Promise.all(gone)
  expect(gone).toHaveLength(3)
  expect(busy.count).toBe(0)
})

test('an answer that is cut off, too long, or none is no answer', async () => {
  const { exchanges, open } = await world((request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': 100 })
      response.write('a part', () => request.socket.destroy())
    } else if (request.url === '/long') response.end(Buffer.alloc(300_000))
    else if (request.url === '/upgrade')
      request.socket.end('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    else if (request.url === '/switch') request.socket.end('HTTP/1.1 101 x\r\n\r\n')
    else if (request.url === '/informs') request.socket.end('HTTP/1.1 700 x\r\ncontent-length: 0\r\n\r\n')
    else request.socket.end('no HTTP\r\n\r\n')
  })
  await expect(readAll(exchanges, call({ path: '/cut' }))).rejects.toThrow('did not end its answer')
  await expect(exchanges.ask(call({ path: '/long', isStreamed: false }), never)).rejects.toThrow(
    'more than 262144 bytes',
  )
  await expect(exchanges.ask(call({ path: '/informs' }), never)).rejects.toThrow('no answer')
  await expect(exchanges.ask(call({ path: '/upgrade' }), never)).rejects.toThrow('broke the connection off')
  await expect(exchanges.ask(call({ path: '/switch' }), never)).rejects.toThrow('no answer')
  await expect(exchanges.ask(call({ path: '/none' }), never)).rejects.toThrow('broke the connection off')
  // None of them is open any more.
  const ends = Array.from({ length: 8 }, () => open.begin(environmentId))
  for (const end of ends) end()
})

test('a machine serves eight at a time, another one’s answers are not read, and a machine that ends ends its own', async () => {
  const { exchanges, machine, machineChanges, busy } = await world((_, response) => {
    response.write('first')
  })
  const asked = Array.from({ length: 8 }, () => call())
  for (const each of asked) await exchanges.ask(each, never)
  await expect(exchanges.ask(call(), never)).rejects.toThrow('8 calls are open to the machine')
  const [first] = asked
  if (first === undefined) throw new Error('eight were asked')
  await expect(exchanges.more(more(first.id, 'another machine'), never)).rejects.toThrow('not read any more')
  machine.power = 'shut_off'
  machineChanges.tell(environmentId)
  await expect(exchanges.more(more(first.id), never)).rejects.toThrow('did not end its answer')
  expect(busy.count).toBe(0)
  await expect(exchanges.ask(call(), never)).rejects.toThrow('does not run')
})
