import type { OrderEnvelope } from '@hearth/contract'
import type { Authority } from '../host/authority.ts'
import type { Work, WorkHandler } from './work.ts'
import type { WorkContext } from './work-context.ts'
import { Worker } from './worker.ts'

export type Receipt = 'taken' | 'other_runner' | 'older_epoch' | 'older_generation' | 'superseded'

/** The newest order of each resource of one kind of work, with the worker that fulfils it. */
export class Inbox<Order extends OrderEnvelope = OrderEnvelope, TheWork extends Work<Order> = Work<Order>> {
  private readonly workers = new Map<string, Worker<Order, TheWork>>()
  private readonly orderedAt = new Map<string, number>()
  private readonly removals = new Map<string, Promise<unknown>>()

  constructor(
    private readonly handler: WorkHandler<Order, TheWork>,
    private readonly context: WorkContext,
    private readonly identity: { runnerId: string; epoch: number },
  ) {}

  /** Accepts an order unless it is older than the known one; `superseded` says that a newer agent has this runner. */
  put(order: Order): Receipt {
    if (order.runnerId !== this.identity.runnerId) return 'other_runner'
    if (order.epoch > this.identity.epoch) return 'superseded'
    if (order.epoch < this.identity.epoch) return 'older_epoch'
    const worker = this.workers.get(order.id)
    this.orderedAt.set(order.id, this.context.now())
    if (worker === undefined) {
      // An order that arrives during a removal waits for its end and then creates everything again.
      const before = this.removals.get(order.id) ?? Promise.resolve()
      const made = new Worker(order, this.handler, this.context, before, () => this.forget(order.id))
      this.workers.set(order.id, made)
      made.wake()
      return 'taken'
    }
    if (order.generation < worker.order.generation) return 'older_generation'
    worker.take(order)
    return 'taken'
  }

  /** The worker that fulfils the order with this id. */
  worker(id: string): Worker<Order, TheWork> | undefined {
    return this.workers.get(id)
  }

  *all(): Iterable<{ id: string; work: TheWork; tellAgain: () => void }> {
    for (const [id, worker] of this.workers)
      yield { id, work: worker.work, tellAgain: () => worker.tellAgain() }
  }

  /** Digests of the current orders by id. */
  held(): Record<string, string> {
    return Object.fromEntries(
      [...this.workers.values()].flatMap(({ order: { id, digest } }) =>
        digest === undefined ? [] : [[id, digest] as const],
      ),
    )
  }

  /** Counts as the arrival of the same order once more. */
  confirm(id: string): void {
    if (this.workers.has(id)) this.orderedAt.set(id, this.context.now())
  }

  /** When the last order for this id arrived, in monotonic milliseconds; null where there is none. */
  lastOrderAt(id: string): number | null {
    return this.orderedAt.get(id) ?? null
  }

  /** Removes something unwanted and forgets its order. Resolves with false when a new order arrived first. */
  async removeUnwanted(id: string, generation: number): Promise<boolean> {
    if (this.removals.has(id)) return false
    const worker = this.workers.get(id)
    this.forget(id)
    const removal = Promise.resolve(worker?.settle()).then(() => this.remove(id, generation))
    this.removals.set(
      id,
      removal.catch(() => undefined),
    )
    try {
      return await removal
    } finally {
      this.removals.delete(id)
    }
  }

  /** Makes every worker look and report again. */
  wakeAll(): void {
    for (const worker of this.workers.values()) worker.wake()
  }

  get size(): number {
    return this.workers.size
  }

  /** Resolves when all workers have ended their current step and all removals are done. */
  async settle(): Promise<void> {
    await Promise.all([
      ...[...this.workers.values()].map((worker) => worker.settle()),
      ...this.removals.values(),
    ])
  }

  private forget(id: string): void {
    this.workers.delete(id)
    this.orderedAt.delete(id)
  }

  private async remove(id: string, generation: number): Promise<boolean> {
    const { lease } = this.context
    let begun = false
    const authority: Authority = {
      ...lease.authority(generation),
      assertHeld: async () => {
        await lease.assertHeld()
        if (!begun && this.workers.has(id)) throw new OrderCame()
        begun = true
      },
    }
    try {
      await this.handler.remove(id, authority)
      return true
    } catch (thrown) {
      if (thrown instanceof OrderCame) return false
      throw thrown
    }
  }
}

class OrderCame extends Error {}
