import { setTimeout as delay } from 'node:timers/promises'
import type { Presence, RunnerFacts } from '@hearth/contract'
import { type Clock, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Lease } from './lease.ts'

export interface HeartbeatOptions {
  target: PresenceTarget
  runnerId: string
  lease: Lease
  facts: RunnerFacts
  readFacts(): Promise<RunnerFacts>
  environments(): number
  intervalMilliseconds: number
  clock: Clock
  /** Monotonic clock, in milliseconds. */
  now(): number
  log: Logger
  /** Called when the lease has lapsed and there is contact again: the control plane is to be asked for confirmation. */
  confirm(): void
}

export interface PresenceTarget {
  publishPresence(presence: Presence): void
  /** Resolves when the server has received everything published. */
  flush(): Promise<void>
  isConnected(): boolean
}

/** Sends a heartbeat every few seconds; each one that arrives prolongs the lease. */
export class Heartbeat {
  private facts: RunnerFacts
  private hadLapsed = false

  constructor(private readonly options: HeartbeatOptions) {
    this.facts = options.facts
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, readFacts, intervalMilliseconds } = this.options
    while (!signal.aborted) {
      await this.beat(signal)
      await delay(intervalMilliseconds, undefined, { signal }).catch(() => undefined)
      this.facts = await readFacts().catch((thrown: unknown) => {
        log.warn({ error: toError(thrown) }, 'cannot read the host’s facts')
        return this.facts
      })
    }
  }

  /** The last heartbeat: its receivers need not wait until the lease expires. */
  leave(): void {
    this.publish({ leaving: true })
  }

  private async beat(signal: AbortSignal): Promise<void> {
    const { target, lease, now, intervalMilliseconds } = this.options
    const begunAt = now()
    this.publish({})
    if (target.isConnected()) {
      const late = delay(intervalMilliseconds, false, { signal }).catch(() => false)
      const flushed = target.flush().then(
        () => true,
        () => false,
      )
      if (await Promise.race([flushed, late])) this.arrived(begunAt)
    }
    this.noteLapse()
    // Also notices a newer agent on this host: without a connection there is no other way.
    await lease.assertHeld().catch(() => undefined)
  }

  private arrived(begunAt: number): void {
    const { lease, confirm } = this.options
    if (lease.hasLapsed) confirm()
    else lease.prolong(begunAt)
  }

  private noteLapse(): void {
    const { lease, log } = this.options
    if (lease.hasLapsed && !this.hadLapsed) {
      log.warn('no contact for the duration of the lease: guests keep running, nothing new is started')
    }
    if (!lease.hasLapsed && this.hadLapsed) log.info('lease confirmed: work continues')
    this.hadLapsed = lease.hasLapsed
  }

  private publish(change: { leaving?: true }): void {
    const { target, runnerId, lease, environments, clock } = this.options
    target.publishPresence({
      runnerId,
      epoch: lease.epoch,
      facts: this.facts,
      environments: environments(),
      sentAt: clock.now().toISOString(),
      ...change,
    })
  }
}
