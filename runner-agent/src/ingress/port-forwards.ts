import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Duplex, pipeline } from 'node:stream'

import { listenAt, type OwnedSocket } from './owned-socket.ts'

/** Connections of one route at once. */
const mostConnections = 256
const openMilliseconds = 20_000

/** Opens a connection to the port that a route leads to; rejects where that is not possible in time. */
export type OpenPort = (signal: AbortSignal) => Promise<Duplex>

interface Forward {
  server: Server
  path: string
  open: OpenPort
  sockets: Set<Socket>
  socket: OwnedSocket | null
}

/**
 * Sockets of the host behind which ports of guests are that the host does not reach by itself. They last as long as the
 * agent.
 */
export class PortForwards {
  private readonly forwards = new Map<string, Promise<Forward>>()
  /** The open connections of each route. */
  private readonly open = new Map<string, Set<Socket>>()

  constructor(private readonly folder: string) {}

  /** The path of the socket that leads to the port of a route. */
  async to(routeId: string, open: OpenPort): Promise<string> {
    const listening = this.forwards.get(routeId) ?? this.listen(routeId, open)
    this.forwards.set(routeId, listening)
    const forward = await listening
    forward.open = open
    return forward.path
  }

  /** Whether a connection of a route is open. */
  isUsed(routeId: string): boolean {
    return (this.open.get(routeId)?.size ?? 0) > 0
  }

  /** Ends the connections of a route. */
  async cut(routeId: string): Promise<void> {
    const forward = await this.forwards.get(routeId)
    for (const socket of forward?.sockets ?? []) socket.destroy()
  }

  async close(routeId: string): Promise<void> {
    const listening = this.forwards.get(routeId)
    this.forwards.delete(routeId)
    this.open.delete(routeId)
    const forward = await listening
    await forward?.socket?.release()
    forward?.server.close()
    for (const socket of forward?.sockets ?? []) socket.destroy()
  }

  async closeAll(): Promise<void> {
    for (const routeId of [...this.forwards.keys()]) await this.close(routeId)
  }

  private async listen(routeId: string, open: OpenPort): Promise<Forward> {
    // Short, since the path of a socket is: what follows of an id is random.
    const path = join(this.folder, `p-${routeId.slice(-12)}.sock`)
    const server = createServer({ allowHalfOpen: true })
    const forward: Forward = { server, path, open, sockets: new Set(), socket: null }
    this.open.set(routeId, forward.sockets)
    server.on('connection', (socket) => void lead(forward, socket))
    forward.socket = await listenAt(server, path)
    return forward
  }
}

async function lead({ sockets, open }: Forward, socket: Socket): Promise<void> {
  if (sockets.size >= mostConnections) {
    socket.destroy()
    return
  }
  sockets.add(socket)
  const gone = new AbortController()
  socket.on('error', () => undefined)
  socket.once('close', () => {
    sockets.delete(socket)
    gone.abort()
  })
  try {
    const port = await open(AbortSignal.any([gone.signal, AbortSignal.timeout(openMilliseconds)]))
    const ended = () => {
      socket.destroy()
      port.destroy()
    }
    // Each half ends by itself, so that what was sent before an end arrives.
    pipeline(socket, port, (error) => error != null && ended())
    pipeline(port, socket, ended)
  } catch {
    socket.destroy()
  }
}
