import { setTimeout as delay } from 'node:timers/promises'
import { type AcceptedSync, isOrderOf, type OrderEnvelope, type SyncRequest } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Lease } from '../lease/lease.ts'
import type { Timings } from '../timings.ts'
import type { Inbox } from '../work/inbox.ts'
import type { WorkHandler } from '../work/work.ts'
import { isAnswerTo, questionAbout } from './question.ts'
import { judgeUnwanted } from './unwanted.ts'

/** One kind of work and its current orders. */
export interface SynchronisedKind {
  handler: Pick<WorkHandler, 'messages' | 'inventory'>
  inbox: Inbox
}

interface KindSynchroniserOptions {
  runnerId: string
  lease: Lease
  timings: Timings
  log: Logger
  now(): number
  /** Resolves with null when the lease is lost. */
  ask(page: Omit<SyncRequest, 'runnerId' | 'epoch'>): Promise<AcceptedSync<OrderEnvelope> | null>
}

/** The control plane answers this many pages at once, and one further page per interval. */
const pagesAtOnce = 8
const betweenPagesMilliseconds = 600

/** Compares what the host has of one kind of work with the full desired set. */
export class KindSynchroniser {
  readonly kind: string
  /** Starts empty with each process: a restart only prolongs the grace period. */
  private since = new Map<string, number>()
  private end: number | null = null

  constructor(
    private readonly synchronised: SynchronisedKind,
    private readonly options: KindSynchroniserOptions,
  ) {
    this.kind = synchronised.handler.messages.kind
  }

  /** When the next grace period of something unwanted ends; null when none is running. */
  get nextEnd(): number | null {
    return this.end
  }

  /** Resolves with the first page of the answer, or null when the lease is lost. */
  async synchronise(signal: AbortSignal): Promise<AcceptedSync<OrderEnvelope> | null> {
    const { kind } = this
    const { handler, inbox } = this.synchronised
    const { runnerId, ask } = this.options
    const owned = (await handler.inventory()).filter(({ owner }) => owner === runnerId)
    const question = questionAbout(kind, owned, (id) => inbox.worker(id)?.reported ?? 0)
    const held = inbox.held()
    const reply = await ask({ ...question, held, after: null })
    if (reply === null || !isAnswerTo(kind, reply)) return reply
    for (const id of reply.unchanged ?? []) inbox.confirm(id)
    this.takeOrders(reply.orders)
    for (const id of reply.untold ?? []) inbox.worker(id)?.wake()
    for (let next = reply.next ?? null, pages = 1; next !== null; pages += 1) {
      if (pages >= pagesAtOnce) await pause(betweenPagesMilliseconds, signal)
      if (signal.aborted) return reply
      // The unwanted ids come with the first page, whose request had the inventory.
      const page = await ask({ ...questionAbout(kind, [], () => 0), held, after: next })
      if (page === null) return null
      if (!isAnswerTo(kind, page)) return reply
      this.takeOrders(page.orders)
      next = page.next ?? null
    }
    this.takeUnwanted(reply.unwanted, new Map(owned.map(({ id, generation }) => [id, generation])))
    return reply
  }

  private takeOrders(orders: readonly OrderEnvelope[]): void {
    const { handler, inbox } = this.synchronised
    const { lease } = this.options
    for (const order of orders) {
      if (!isOrderOf(handler.messages, order) || inbox.put(order) !== 'superseded') continue
      lease.lose(`an order of epoch ${order.epoch} came`)
      return
    }
  }

  private takeUnwanted(unwanted: readonly string[], generations: ReadonlyMap<string, number>): void {
    const { kind } = this
    const { inbox } = this.synchronised
    const { log, timings, now } = this.options
    const judged = judgeUnwanted({
      since: this.since,
      unwanted,
      lastOrderAt: (id) => inbox.lastOrderAt(id),
      now: now(),
      graceMilliseconds: timings.removalGrace,
    })
    for (const id of judged.since.keys()) {
      if (this.since.has(id)) continue
      const seconds = timings.removalGrace / 1000
      log.info({ kind, id }, `unwanted: will be removed in ${seconds} s unless an order arrives`)
    }
    this.since = judged.since
    this.end = judged.nextEnd
    for (const id of judged.remove) void this.removeUnwanted(id, generations.get(id) ?? 0)
  }

  private async removeUnwanted(id: string, generation: number): Promise<void> {
    const { kind } = this
    const { log } = this.options
    try {
      const removed = await this.synchronised.inbox.removeUnwanted(id, generation)
      if (removed) log.info({ kind, id }, 'unwanted: removed')
    } catch (thrown) {
      log.warn({ kind, id, error: toError(thrown) }, 'unwanted: cannot be removed')
    }
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
}
