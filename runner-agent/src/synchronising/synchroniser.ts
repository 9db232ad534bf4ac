import { setTimeout as delay } from 'node:timers/promises'
import type { SyncReply, SyncRequest } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Host } from '../host/host.ts'
import type { Lease } from '../lease/lease.ts'
import type { Timings } from '../timings.ts'
import type { EnvironmentInbox } from '../work/environment/inbox.ts'
import { judgeUnwanted } from './unwanted.ts'

export interface SyncTarget {
  requestSync(request: SyncRequest, timeoutMilliseconds: number): Promise<SyncReply>
}

export interface SynchroniserOptions {
  target: SyncTarget
  host: Pick<Host, 'inventory'>
  inbox: EnvironmentInbox
  runnerId: string
  lease: Lease
  timings: Timings
  log: Logger
  /** Milliseconds that only rise. */
  now(): number
  /** At least 0 and below 1. */
  random(): number
}

/** The share of the interval by which it differs from time to time. */
const spread = 0.2

/** The control plane answers so many pages at once, and later ones in this time each. */
const pagesAtOnce = 8
const betweenPagesMilliseconds = 600

/** Holds the host's inventory against the full desired set: now, again and again, and when asked. */
export class Synchroniser {
  private asked = false
  private wakeAll = false
  private sleep = new AbortController()
  /** Begins anew with the process: a machine that has become unwanted stays the longer for it. */
  private since = new Map<string, number>()
  private nextEnd: number | null = null

  constructor(private readonly options: SynchroniserOptions) {}

  /** Asks for another synchronisation soon, after which everything is looked at and reported again. */
  again(): void {
    this.asked = true
    this.wakeAll = true
    this.sleep.abort()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { timings, random } = this.options
    while (!signal.aborted) {
      this.asked = false
      const wakeAll = this.wakeAll
      this.wakeAll = false
      await this.untilReplied(signal)
      if (wakeAll) this.options.inbox.wakeAll()
      if (!this.asked) await this.rest(signal)
      if (this.asked) await pause(random() * timings.synchronisationSpread, signal)
    }
  }

  private async rest(signal: AbortSignal): Promise<void> {
    const { timings, random, now } = this.options
    const interval = timings.synchronisation * (1 + spread * (2 * random() - 1))
    const untilEnd = this.nextEnd === null ? interval : Math.max(0, this.nextEnd - now())
    this.sleep = new AbortController()
    await pause(Math.min(interval, untilEnd), AbortSignal.any([this.sleep.signal, signal]))
  }

  private async untilReplied(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.synchronise(signal)
        return
      } catch (thrown) {
        if (signal.aborted) return
        this.options.log.warn({ error: toError(thrown) }, 'not synchronised with the control plane yet')
        const wait = backoff(attempt, { first: 250, most: Math.min(10_000, this.options.timings.retryMost) })
        await pause(wait, signal)
      }
    }
  }

  private async synchronise(signal: AbortSignal): Promise<void> {
    const { host, target, inbox, runnerId, lease, timings, now } = this.options
    const owned = (await host.inventory()).flatMap(({ environmentId, ownership }) =>
      ownership?.owner === runnerId ? [{ ...ownership, environmentId }] : [],
    )
    const inventory = owned.map(({ environmentId, epoch, generation }) => ({
      environmentId,
      epoch,
      generation,
    }))
    const ask = async (page: Pick<SyncRequest, 'inventory' | 'held' | 'after'>) => {
      const begunAt = now()
      const request = { runnerId, epoch: lease.epoch, ...page }
      const reply = await target.requestSync(request, timings.synchronisationReply)
      if (reply.accepted) lease.confirm(begunAt)
      else lease.lose(refusal(reply))
      return reply.accepted ? reply : null
    }
    const held = inbox.held()
    const reply = await ask({ inventory, held, after: null })
    if (reply === null) return
    for (const id of reply.unchanged ?? []) inbox.confirm(id)
    this.takeOrders(reply.orders)
    for (let next = reply.next ?? null, pages = 1; next !== null; pages += 1) {
      if (pages >= pagesAtOnce) await pause(betweenPagesMilliseconds, signal)
      if (signal.aborted) return
      // What is unwanted was said with the first page, which had the inventory.
      const page = await ask({ inventory: [], held, after: next })
      if (page === null) return
      this.takeOrders(page.orders)
      next = page.next ?? null
    }
    const generations = new Map(owned.map(({ environmentId, generation }) => [environmentId, generation]))
    this.takeUnwanted(reply.unwanted, generations)
  }

  private takeOrders(orders: Extract<SyncReply, { accepted: true }>['orders']): void {
    const { inbox, lease } = this.options
    for (const order of orders) {
      if (inbox.put(order) !== 'superseded') continue
      lease.lose(`an order of epoch ${order.epoch} came`)
      return
    }
  }

  private takeUnwanted(unwanted: readonly string[], generations: ReadonlyMap<string, number>): void {
    const { inbox, log, timings, now } = this.options
    const judged = judgeUnwanted({
      since: this.since,
      unwanted,
      lastOrderAt: (id) => inbox.lastOrderAt(id),
      now: now(),
      graceMilliseconds: timings.removalGrace,
    })
    for (const environmentId of judged.since.keys()) {
      if (this.since.has(environmentId)) continue
      const seconds = timings.removalGrace / 1000
      log.info({ environmentId }, `unwanted: removed in ${seconds} s unless an order comes`)
    }
    this.since = judged.since
    this.nextEnd = judged.nextEnd
    for (const id of judged.remove) void this.removeUnwanted(id, generations.get(id) ?? 0)
  }

  private async removeUnwanted(environmentId: string, generation: number): Promise<void> {
    const { inbox, log } = this.options
    try {
      const removed = await inbox.removeUnwanted(environmentId, generation)
      if (removed) log.info({ environmentId }, 'unwanted machine removed')
    } catch (thrown) {
      log.warn({ environmentId, error: toError(thrown) }, 'an unwanted machine could not be removed')
    }
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
}

function refusal(reply: Extract<SyncReply, { accepted: false }>): string {
  return reply.reason === 'superseded'
    ? `a newer agent registered for this runner (epoch ${reply.currentEpoch})`
    : 'the control plane does not know this runner any more'
}
