import { setTimeout as delay } from 'node:timers/promises'
import type { Pause, PauseReason } from '@hearth/contract'
import { type Clock, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Host } from '../../host/host.ts'
import type { Machines } from '../../host/machines.ts'

export interface PausesOptions {
  host: Pick<Host, 'freeDiskBytes'> & { machines: Pick<Machines, 'paused'> }
  clock: Clock
  log: Logger
  /** Free space, in bytes, from which on machines that stand still for want of it go on. */
  resumeFreeBytes: number
  /** Between two looks at the machines that are paused. */
  lookMilliseconds: number
}

/** Who has to know, and to act. */
export interface PauseListener {
  /** A machine was paused, or goes on. */
  pauseChanged(environmentId: string): void
  /** There is room again for a machine that stood still for want of it. */
  resume(environmentId: string): Promise<void>
}

/** The machines of this host whose guest stands still, since when and why. */
export class Pauses {
  private held = new Map<string, Pause>()
  private last: Promise<unknown> = Promise.resolve()
  private next: Promise<string[]> | null = null

  constructor(private readonly options: PausesOptions) {}

  of(environmentId: string): Pause | null {
    return this.held.get(environmentId) ?? null
  }

  /** A sentence for each reason for which machines stand still, for whoever looks at the host. */
  get warnings(): string[] {
    const reasons = [...this.held.values()].map(({ reason }) => reason)
    return [...new Set(reasons)].sort().map((reason) => {
      const count = reasons.filter((other) => other === reason).length
      return `${count === 1 ? '1 machine stands' : `${count} machines stand`} still: ${causes[reason]}`
    })
  }

  /**
   * Asks the host; returns the machines of which something is new. Whoever asks while the host is being asked shares the
   * answer of the next time.
   */
  look(): Promise<string[]> {
    this.next ??= this.last.then(() => {
      this.next = null
      const looking = this.ask()
      this.last = looking.catch(() => undefined)
      return looking
    })
    return this.next
  }

  private async ask(): Promise<string[]> {
    const seen = await this.options.host.machines.paused()
    const since = this.options.clock.now().toISOString()
    const now = new Map(
      seen.map(({ environmentId, reason }): [string, Pause] => {
        const known = this.held.get(environmentId)
        return [environmentId, known?.reason === reason ? known : { reason, since }]
      }),
    )
    const before = this.held
    this.held = now
    return [...new Set([...before.keys(), ...now.keys()])].filter((id) => before.get(id) !== now.get(id))
  }

  /** Looks after the paused machines until the signal aborts: those that wait for room go on when there is some. */
  async run(listener: PauseListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const id of await this.look()) listener.pauseChanged(id)
        await this.resumeThoseWithRoom(listener)
      } catch (thrown) {
        this.options.log.warn({ error: toError(thrown) }, 'the paused machines cannot be looked at')
      }
      await delay(this.options.lookMilliseconds, undefined, { signal }).catch(() => undefined)
    }
  }

  private async resumeThoseWithRoom(listener: PauseListener): Promise<void> {
    const { host, log, resumeFreeBytes } = this.options
    const waiting = [...this.held].filter(([, { reason }]) => reason === 'io_error')
    if (waiting.length === 0) return
    const free = await host.freeDiskBytes()
    if (free < resumeFreeBytes) return
    for (const [environmentId] of waiting) {
      log.info({ environmentId, free }, 'there is room again: the paused machine goes on')
      await listener.resume(environmentId)
    }
  }
}

const causes: Record<PauseReason, string> = {
  io_error: 'a disk could not be written, most likely because the disk of this host is full; free some',
  suspended: 'somebody on this host suspended it, and has to resume it (`virsh resume`)',
  other: 'the hypervisor stopped it; the log of its QEMU says why',
}
