import type { Duplex } from 'node:stream'
import type { GuestMachine } from '../guest.ts'
import { Links, type SshGuestOptions } from './links.ts'

/** How long an SSH connection is kept after its last channel was closed. */
const keptMilliseconds = 60_000

interface Held {
  links: Links
  /** Of the machine: a new one, or one at another address, is another guest. */
  at: string
  channels: number
  closing: NodeJS.Timeout | null
}

/**
 * Connections to ports of guests, as from within them, over SSH connections of their own: what goes over them slows down
 * neither steps nor tasks.
 */
export class GuestPorts {
  private readonly held = new Map<string, Held>()

  constructor(private readonly options: SshGuestOptions) {}

  /** Rejects where the guest does not answer in time, or nothing listens on the port. */
  async open(machine: GuestMachine, port: number, signal: AbortSignal): Promise<Duplex> {
    const held = this.hold(machine)
    held.channels += 1
    if (held.closing !== null) clearTimeout(held.closing)
    held.closing = null
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      held.channels -= 1
      if (held.channels > 0) return
      held.closing = setTimeout(() => this.drop(machine.environmentId, held), keptMilliseconds)
      held.closing.unref()
    }
    try {
      const { connection } = await held.links.connected(signal)
      const channel = await connection.forward('127.0.0.1', port)
      channel.once('close', end)
      return channel
    } catch (thrown) {
      end()
      throw thrown
    }
  }

  /** How many SSH connections are open to a machine from here. */
  connectionsTo(environmentId: string): number {
    return this.held.get(environmentId)?.links.count ?? 0
  }

  close(): void {
    for (const [environmentId, held] of this.held) this.drop(environmentId, held)
  }

  private hold(machine: GuestMachine): Held {
    const { environmentId, address, identity } = machine
    const at = `${address.host}:${address.port} ${identity.machineId}`
    const before = this.held.get(environmentId)
    if (before?.at === at) return before
    if (before !== undefined) this.drop(environmentId, before)
    const held: Held = { links: new Links(machine, this.options), at, channels: 0, closing: null }
    this.held.set(environmentId, held)
    return held
  }

  private drop(environmentId: string, held: Held): void {
    if (held.closing !== null) clearTimeout(held.closing)
    if (this.held.get(environmentId) === held) this.held.delete(environmentId)
    held.links.close()
  }
}
