import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A server as it would listen in a guest: it says what it was sent, streams, and echoes upgraded connections. */
export interface WebGuest extends AsyncDisposable {
  port: number
  /** Resolves when somebody next begins to read a stream, or leaves one before its end. */
  next(event: 'reader' | 'left'): Promise<void>
}

export async function startWebGuest(): Promise<WebGuest> {
  const open = new Set<Socket>()
  const server = createServer((request, response) => {
    if (request.url === '/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      response.once('close', () => response.writableEnded || server.emit('left'))
      server.emit('reader')
      // The rest comes when whoever reads has seen the first.
      server.once('second', () => response.end('data: second\n\n'))
      return
    }
    // Where nobody streams yet, whoever asked tries again.
    const isDone = request.url !== '/second' || server.emit('second')
    void told(request).then((body) => {
      response.writeHead(isDone ? 200 : 409, { 'content-type': 'application/json', 'set-cookie': 'guest=1' })
      response.end(
        JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
      )
    })
  })
  server.on('upgrade', (_, socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.on('data', (chunk) => socket.write(chunk))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    next: async (event) => void (await once(server, event)),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

async function told(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
