import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { LocalCommandRunner } from '../../host/command/local.ts'
import { waitForAnswer } from './answering.ts'

const sockets: Socket[] = []
let server: Server
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

/** A server that handles its nth connection as the nth entry says. */
async function listen(onConnection: (socket: Socket, count: number) => void) {
  let count = 0
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    count += 1
    onConnection(socket, count)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return { connect: () => new LocalCommandRunner().connect('127.0.0.1', port), count: () => count }
}

test('the stream that answered is returned with its first line unread, and the server serves no second one', async () => {
  const { connect, count } = await listen((socket, nth) => {
    // Like a forwarded port whose server in the guest has not started yet.
    if (nth < 4) socket.destroy()
    else setTimeout(() => socket.write('SSH-2.0-test\r\n'), 250)
  })
  const stream = await waitForAnswer(connect, AbortSignal.timeout(5_000))
  const text = await new Promise((resolve) =>
    stream.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  )
  expect(text).toBe('SSH-2.0-test\r\n')
  expect(count()).toBe(4)
})

test('an attempt that is lost while the guest boots does not delay the answer', async () => {
  const { connect } = await listen((socket, nth) => {
    if (nth > 2) socket.write('SSH-2.0-test\r\n')
  })
  const began = performance.now()
  await waitForAnswer(connect, AbortSignal.timeout(5_000))
  expect(performance.now() - began).toBeLessThan(1_500)
})

test('it gives up when told to, and leaves no connection behind, not even a closed one', async () => {
  const codes: unknown[] = []
  const { connect } = await listen((socket) => {
    socket.resume()
    socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code))
  })
  await expect(waitForAnswer(connect, AbortSignal.timeout(300))).rejects.toThrow(/timeout|abort/i)
  for (const socket of sockets) {
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  }
  expect(sockets.length).toBeGreaterThan(0)
  expect(codes).toEqual(sockets.map(() => 'ECONNRESET'))
})

test('the client’s first bytes are sent once, before the server’s have come', async () => {
  let said = ''
  const { connect } = await listen((socket) => {
    socket.on('data', (chunk: Buffer) => {
      // Like a port forwarded by passt: the server learns of the connection with the client's first bytes.
      if (said === '') socket.write('SSH-2.0-test\r\n')
      said += chunk.toString()
    })
  })
  const stream = await waitForAnswer(connect, AbortSignal.timeout(5_000))
  await new Promise<void>((resolve) => stream.write('SSH-2.0-client\r\n', () => resolve()))
  await new Promise<void>((resolve) => stream.write('more', () => resolve()))
  await new Promise<void>((resolve) => stream.end(() => resolve()))
  await expect.poll(() => said).toBe('SSH-2.0-client\r\nmore')
})
