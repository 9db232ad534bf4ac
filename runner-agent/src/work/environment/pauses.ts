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
  /** Free disk space, in bytes, from which machines paused by a full disk are resumed. */
  resumeFreeBytes: number
  /** Interval between two looks at the paused machines. */
  lookMilliseconds: number
}

/** Callbacks for changes of pauses. */
export interface PauseListener {
  /** A machine was paused or resumed. */
  pauseChanged(environmentId: string): void
  /** A machine paused by a full disk has space again. */
  resume(environmentId: string): Promise<void>
}

/** The paused machines of this host, since when and why. */
export class Pauses {
  private held = new Map<string, Pause>()
  private last: Promise<unknown> = Promise.resolve()
  private next: Promise<string[]> | null = null

  constructor(private readonly options: PausesOptions) {}

  of(environmentId: string): Pause | null {
    return this.held.get(environmentId) ?? null
  }

  /** A sentence for each reason for which machines are paused, for the host's warnings. */
  get warnings(): string[] {
    const reasons = [...this.held.values()].map(({ reason }) => reason)
    return [...new Set(reasons)].sort().map((reason) => {
      const count = reasons.filter((other) => other === reason).length
      return `${count === 1 ? '1 machine stands' : `${count} machines stand`} still: ${causes[reason]}`
    })
  }

  /**
   * Reads the paused machines from the host; returns those that changed. A caller that comes while a read is running
   * gets the result of the next read.
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

  /**
   * Watches the paused machines until the signal aborts: those paused by a full disk are resumed when there is space
   * again.
   */
  async run(listener: PauseListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const id of await this.look()) listener.pauseChanged(id)
        await this.resumeThoseWithRoom(listener)
      } catch (thrown) {
        this.options.log.warn({ error: toError(thrown) }, 'cannot read the paused machines')
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
      log.info({ environmentId, free }, 'disk space is available again: resuming the paused machine')
      await listener.resume(environmentId)
    }
  }
}

const causes: Record<PauseReason, string> = {
  io_error: 'a disk could not be written, most likely because the disk of this host is full; free some',
  suspended: 'somebody on this host suspended it, and has to resume it (`virsh resume`)',
  other: 'the hypervisor stopped it; the log of its QEMU says why',
}
