import { connect, createServer, type Socket } from 'node:net'

const intervalMilliseconds = 100
const attemptMilliseconds = 3_000
const attemptsAtOnce = 4

export interface Relay extends AsyncDisposable {
  /** A loopback port; a connection to it leads to the guest, and starts as soon as the guest's server says anything. */
  port: number
}

/**
 * Lets a bare `ssh` wait for a booting guest without delays between attempts, which would flatter whatever is
 * compared with it: the first connection that the guest accepts becomes its connection.
 */
export async function relayTo(guestPort: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer((client) => {
    keep(client)
    const attempts = new Set<Socket>()
    const attempt = () => {
      if (attempts.size >= attemptsAtOnce) return
      const socket = keep(connect(guestPort, '127.0.0.1').setNoDelay(true))
      attempts.add(socket)
      const limit = setTimeout(() => socket.destroy(), attemptMilliseconds)
      socket.once('close', () => {
        clearTimeout(limit)
        attempts.delete(socket)
      })
      socket.once('data', (banner) => {
        clearTimeout(limit)
        clearInterval(timer)
        attempts.delete(socket)
        for (const other of attempts) other.destroy()
        client.setNoDelay(true).write(banner)
        client.pipe(socket).pipe(client)
      })
    }
    const timer = setInterval(attempt, intervalMilliseconds)
    client.once('close', () => clearInterval(timer))
    attempt()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
