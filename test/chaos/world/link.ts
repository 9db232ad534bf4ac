import { connect, createServer, type Server, type Socket } from 'node:net'

/** A loopback port that forwards to another one, over a network that can be cut, held up and slowed down. */
export class Link {
  /** Additional delay in milliseconds, in both directions. */
  delay = 0
  private held: (() => void)[] | null = null
  private closed = false
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** `target` is asked for each connection; null refuses it. */
  static async open(target: () => number | null): Promise<Link> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port was given')
    const link = new Link(server, address.port)
    server.on('connection', (socket) => link.take(socket, target()))
    return link
  }

  /** Data sent from now on arrives only after `mend`, as when packets are lost. */
  hold(): void {
    this.held ??= []
  }

  /** Ends every connection, and refuses new ones until `mend`. */
  cut(): void {
    this.held = []
    for (const socket of this.sockets) socket.destroy()
  }

  mend(): void {
    const held = this.held ?? []
    this.held = null
    for (const send of held) send()
  }

  close(): void {
    this.closed = true
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }

  /** Keeps the data while the link is held; returns false when it is not held. */
  keepsBack(work: () => void): boolean {
    this.held?.push(work)
    return this.held !== null
  }

  private take(near: Socket, port: number | null): void {
    if (this.closed || port === null) {
      near.destroy()
      return
    }
    if (this.held !== null) {
      this.keep(near)
      this.held.push(() => near.destroy())
      return
    }
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.keep(from)
      from.setNoDelay(true)
      const lane = new Lane(this)
      from.on('data', (chunk) => lane.send(() => to.destroyed || to.write(chunk)))
      from.on('close', () => to.destroy())
    }
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.sockets.delete(socket))
  }
}

/** One direction of one connection; keeps the order of what is sent. */
class Lane {
  private waiting: { at: number; work: () => void }[] = []
  private timer: NodeJS.Timeout | null = null

  constructor(private readonly link: Link) {}

  send(work: () => void): void {
    const at = performance.now() + this.link.delay
    if (this.link.delay === 0 && this.waiting.length === 0) this.pass(work)
    else {
      this.waiting.push({ at: Math.max(at, this.waiting.at(-1)?.at ?? 0), work })
      this.timer ??= this.wake()
    }
  }

  private wake(): NodeJS.Timeout {
    return setTimeout(
      () => {
        const now = performance.now()
        while ((this.waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= now) this.pass(this.waiting.shift()?.work)
        this.timer = this.waiting.length === 0 ? null : this.wake()
      },
      Math.max(1, (this.waiting[0]?.at ?? 0) - performance.now()),
    )
  }

  private pass(work: (() => unknown) | undefined): void {
    if (work !== undefined && !this.link.keepsBack(() => void work())) work()
  }
}
