import { connect, createServer, type Socket } from 'node:net'

/** A relay between an observer and a server. It can be cut, restored, or blocked while its connections stay open. */
export interface CuttableRelay extends AsyncDisposable {
  port: number
  /** Ends every connection and refuses new ones. */
  cut(): void
  mend(): void
  /** Blocks the existing connections without ending them; new ones work. */
  freeze(): void
}

export async function startCuttableRelay(target: { host: string; port: number }): Promise<CuttableRelay> {
  const sockets = new Set<Socket>()
  let isCut = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    if (isCut) {
      client.destroy()
      return
    }
    const upstream = keep(connect(target.port, target.host).setNoDelay(true))
    keep(client.setNoDelay(true))
    client.pipe(upstream).pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return {
    port: address.port,
    cut() {
      isCut = true
      destroyAll()
    },
    mend() {
      isCut = false
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      destroyAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
