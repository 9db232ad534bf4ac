import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { OpenGuest } from '../../guest/guest.ts'
import { connectionsByPort } from '../../host/connections.ts'
import type { Machines } from '../../host/machines.ts'

export interface ActivityOptions {
  machines: Pick<Machines, 'connected' | 'look'>
  openGuest: OpenGuest
  log: Logger
  /** Monotonic milliseconds. */
  now(): number
  /** The longest pause between two looks. */
  lookMilliseconds: number
}

/** A machine of which somebody wants to know whether it is used. */
export interface WatchedMachine {
  id: string
  idleSeconds: number
  /** Whether the agent itself is in its guest, so that what is seen may be the agent. */
  isOwnVisit(): boolean
  /** Connections of the agent itself that see to tasks and services. */
  readonly ownConnections: number
  /** Whether a task runs in it, or requests go to it on a route. */
  readonly isBusy: boolean
  tellAgain(): void
}

interface Seen {
  /** When somebody was last seen; null for not since the first look. */
  usedAt: number | null
  toldAt: number
}

const longestTellMilliseconds = 60_000
const shortestLookMilliseconds = 250
const guestMilliseconds = 15_000

/** Pause between two reports of the use of a machine: about a minute, and less only where the span is below ten. */
function tellMilliseconds({ idleSeconds }: Pick<WatchedMachine, 'idleSeconds'>): number {
  return Math.min(longestTellMilliseconds, idleSeconds * 100)
}

/**
 * Whether the machines of this host are used, of which somebody wants to know it. What uses one is an SSH connection
 * or a running task, or a request on a route.
 */
export class Activity {
  private readonly seen = new Map<string, Seen>()

  constructor(private readonly options: ActivityOptions) {}

  /** As reported; undefined for a machine that is not watched. */
  of(environmentId: string): { secondsAgo: number | null } | undefined {
    const seen = this.seen.get(environmentId)
    if (seen === undefined) return undefined
    const { usedAt } = seen
    return { secondsAgo: usedAt === null ? null : (this.options.now() - usedAt) / 1000 }
  }

  /** Looks, again and again, until the signal aborts. */
  async run(watched: () => Iterable<WatchedMachine>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const machines = [...watched()]
      try {
        await this.look(machines, signal)
      } catch (thrown) {
        if (!signal.aborted)
          this.options.log.warn({ error: toError(thrown) }, 'cannot see whether machines are used')
      }
      const pauses = machines.map((machine) => tellMilliseconds(machine) / 4)
      const pause = Math.max(shortestLookMilliseconds, Math.min(this.options.lookMilliseconds, ...pauses))
      await delay(pause, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One look at all of them; those that are due are reported. */
  async look(machines: readonly WatchedMachine[], signal: AbortSignal): Promise<void> {
    const ids = new Set(machines.map(({ id }) => id))
    for (const id of this.seen.keys()) if (!ids.has(id)) this.seen.delete(id)
    const away = machines.filter((machine) => !machine.isOwnVisit())
    if (away.length === 0) return
    const own = new Map(away.map(({ id, ownConnections }) => [id, ownConnections]))
    const connected = await this.options.machines.connected([...own.keys()], own)
    for (const machine of away) {
      const isConnected = connected.get(machine.id)
      // It is gone, or was entered by the agent meanwhile: the next look tells.
      if (isConnected === undefined || machine.isOwnVisit()) continue
      if (machine.isBusy) this.note(machine, true)
      else if (isConnected !== null) this.note(machine, isConnected)
      else if (this.isDue(machine)) await this.lookInside(machine, signal)
    }
  }

  private isDue(machine: WatchedMachine): boolean {
    const seen = this.seen.get(machine.id)
    return seen === undefined || this.options.now() - seen.toldAt >= tellMilliseconds(machine)
  }

  private note(machine: WatchedMachine, isUsed: boolean): void {
    const now = this.options.now()
    const isDue = this.isDue(machine)
    const before = this.seen.get(machine.id) ?? { usedAt: null, toldAt: now }
    this.seen.set(machine.id, {
      usedAt: isUsed ? now : before.usedAt,
      toldAt: isDue ? now : before.toldAt,
    })
    if (isDue) machine.tellAgain()
  }

  /** For a guest that is reached without this host: its own list of connections, of which one is the agent's. */
  private async lookInside(machine: WatchedMachine, signal: AbortSignal): Promise<void> {
    const { machines, openGuest, log } = this.options
    const { address, identity } = await machines.look(machine.id)
    if (address === null || identity === null) return
    const guest = openGuest({ environmentId: machine.id, address, identity })
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(guestMilliseconds)])
      const texts = await guest.readFiles(['/proc/net/tcp', '/proc/net/tcp6'], within)
      const connections = connectionsByPort(texts.filter((text) => text !== null).join('\n'))
      this.note(machine, (connections.get(address.port) ?? 0) > 1 + machine.ownConnections)
    } catch (thrown) {
      // Nothing is known of it then, and it does not end for that.
      log.debug({ environmentId: machine.id, error: toError(thrown) }, 'cannot see whether a machine is used')
    } finally {
      guest.close()
    }
  }
}
