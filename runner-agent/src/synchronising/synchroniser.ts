import { setTimeout as delay } from 'node:timers/promises'
import type { SyncReply, SyncRequest } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Host } from '../host/host.ts'
import type { EnvironmentInbox } from '../work/environment/inbox.ts'

export interface SyncTarget {
  requestSync(request: SyncRequest, timeoutMilliseconds: number): Promise<SyncReply>
}

export interface SynchroniserOptions {
  target: SyncTarget
  host: Host
  inbox: EnvironmentInbox
  identity: { runnerId: string; epoch: number }
  log: Logger
  superseded(reason: string): void
}

const replyMilliseconds = 15_000
const intervalMilliseconds = 60_000
/** An order for a machine that looks unwanted may be on its way. */
const graceMilliseconds = 30_000

/** Holds the host's inventory against the full desired set: now, every minute, and when asked. */
export class Synchroniser {
  private asked = false
  private wakeAll = false
  private sleep = new AbortController()
  private readonly unwanted = new Map<string, NodeJS.Timeout>()

  constructor(private readonly options: SynchroniserOptions) {}

  /** Asks for another synchronisation soon, after which everything is looked at and reported again. */
  again(): void {
    this.asked = true
    this.wakeAll = true
    this.sleep.abort()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.asked = false
      const wakeAll = this.wakeAll
      this.wakeAll = false
      await this.untilReplied(signal)
      if (wakeAll) this.options.inbox.wakeAll()
      if (this.asked) continue
      this.sleep = new AbortController()
      const sleep = AbortSignal.any([this.sleep.signal, signal])
      await delay(intervalMilliseconds, undefined, { signal: sleep }).catch(() => undefined)
    }
    for (const timer of this.unwanted.values()) clearTimeout(timer)
  }

  private async untilReplied(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        this.apply(await this.request(), signal)
        return
      } catch (thrown) {
        this.options.log.warn({ error: toError(thrown) }, 'not synchronised with the control plane yet')
        const wait = backoff(attempt, { first: 250, most: 10_000 })
        await delay(wait, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  private async request(): Promise<SyncReply> {
    const { host, target, identity } = this.options
    const inventory = (await host.inventory()).flatMap(({ environmentId, ownership }) =>
      ownership?.owner === identity.runnerId
        ? [{ environmentId, epoch: ownership.epoch, generation: ownership.generation }]
        : [],
    )
    return target.requestSync({ ...identity, inventory }, replyMilliseconds)
  }

  private apply(reply: SyncReply, signal: AbortSignal): void {
    const { inbox, log, superseded } = this.options
    if (!reply.accepted) {
      superseded(
        reply.reason === 'superseded'
          ? `a newer agent registered for this runner (epoch ${reply.currentEpoch})`
          : 'the control plane does not know this runner any more',
      )
      return
    }
    for (const order of reply.orders) {
      const receipt = inbox.put(order)
      if (receipt === 'superseded') {
        superseded(`an order of epoch ${order.epoch} came`)
        return
      }
    }
    const stillUnwanted = new Set(reply.unwanted)
    for (const [id, timer] of this.unwanted) {
      if (stillUnwanted.has(id)) continue
      clearTimeout(timer)
      this.unwanted.delete(id)
    }
    for (const id of stillUnwanted) {
      if (this.unwanted.has(id)) continue
      log.info(
        { environmentId: id },
        `unwanted: removed in ${graceMilliseconds / 1000} s unless an order comes`,
      )
      const timer = setTimeout(() => void this.removeUnwanted(id, signal), graceMilliseconds)
      this.unwanted.set(id, timer)
    }
  }

  private async removeUnwanted(id: string, signal: AbortSignal): Promise<void> {
    this.unwanted.delete(id)
    const { host, inbox, log, identity } = this.options
    if (signal.aborted || inbox.has(id)) return
    try {
      const machine = await host.look(id)
      if (machine.ownership?.owner !== identity.runnerId) return
      await host.remove(id)
      log.info({ environmentId: id }, 'unwanted machine removed')
    } catch (thrown) {
      log.warn({ environmentId: id, error: toError(thrown) }, 'an unwanted machine could not be removed')
    }
  }
}
