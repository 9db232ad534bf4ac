import type { Guest, OpenGuest } from '../../guest/guest.ts'
import type { Machine } from '../../host/machine.ts'

/** A guest in use, until it is released. */
export interface UsedGuest {
  readonly guest: Guest
  release(): void
}

interface Held {
  guest: Guest
  /** Of the machine: a new one, or one at another address, is another guest. */
  at: string
  users: number
  closing: NodeJS.Timeout | null
}

/** How long a connection that nobody uses is kept for the next process. */
const keptMilliseconds = 30_000

/** The connections to guests over which tasks and services are seen to: one for all of a machine. */
export class Guests {
  private readonly held = new Map<string, Held>()
  private readonly busy = new Map<string, number>()

  constructor(private readonly openGuest: OpenGuest) {}

  use({
    environmentId,
    address,
    identity,
  }: Pick<Machine, 'environmentId' | 'address' | 'identity'>): UsedGuest {
    if (address === null || identity === null)
      throw new Error('the machine’s folder does not say how to reach it')
    const at = `${address.host}:${address.port} ${identity.machineId}`
    let held = this.held.get(environmentId)
    if (held !== undefined && held.at !== at) {
      this.drop(environmentId, held)
      held = undefined
    }
    const used = held ?? {
      guest: this.openGuest({ environmentId, address, identity }),
      at,
      users: 0,
      closing: null,
    }
    this.held.set(environmentId, used)
    used.users += 1
    if (used.closing !== null) clearTimeout(used.closing)
    used.closing = null
    let isReleased = false
    return {
      guest: used.guest,
      release: () => {
        if (isReleased) return
        isReleased = true
        used.users -= 1
        if (used.users > 0) return
        used.closing = setTimeout(() => this.drop(environmentId, used), keptMilliseconds)
        used.closing.unref()
      },
    }
  }

  /** How many connections are open to a machine from here. */
  connectionsTo(environmentId: string): number {
    return this.held.get(environmentId)?.guest.connections ?? 0
  }

  /** Notes that a task runs in a machine; the function that is returned notes its end. */
  taskRuns(environmentId: string): () => void {
    this.busy.set(environmentId, (this.busy.get(environmentId) ?? 0) + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = (this.busy.get(environmentId) ?? 1) - 1
      if (left > 0) this.busy.set(environmentId, left)
      else this.busy.delete(environmentId)
    }
  }

  /** Whether a task runs in a machine. */
  isBusy(environmentId: string): boolean {
    return this.busy.has(environmentId)
  }

  /** Closes the connections to a machine that nobody uses now: a machine that was off, or suspended, knows none of them. */
  closeUnused(environmentId: string): void {
    const held = this.held.get(environmentId)
    if (held?.users === 0) this.drop(environmentId, held)
  }

  close(): void {
    for (const [environmentId, held] of this.held) this.drop(environmentId, held)
  }

  private drop(environmentId: string, held: Held): void {
    if (held.closing !== null) clearTimeout(held.closing)
    if (this.held.get(environmentId) === held) this.held.delete(environmentId)
    held.guest.close()
  }
}
