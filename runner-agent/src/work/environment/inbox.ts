import type { EnvironmentOrder } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Authority } from '../../host/authority.ts'
import type { WorkContext } from './work-context.ts'
import { EnvironmentWorker } from './worker.ts'

export type Receipt = 'taken' | 'other_runner' | 'older_epoch' | 'older_generation' | 'superseded'

/** The newest order of each environment, with the worker that fulfils it. */
export class EnvironmentInbox {
  private readonly workers = new Map<string, EnvironmentWorker>()
  private readonly orderedAt = new Map<string, number>()
  private readonly removals = new Map<string, Promise<unknown>>()

  constructor(
    private readonly context: WorkContext,
    private readonly identity: { runnerId: string; epoch: number },
  ) {}

  /** Takes an order unless it is older than what is known; `superseded` says that a newer agent has this runner. */
  put(order: EnvironmentOrder): Receipt {
    if (order.runnerId !== this.identity.runnerId) return 'other_runner'
    if (order.epoch > this.identity.epoch) return 'superseded'
    if (order.epoch < this.identity.epoch) return 'older_epoch'
    const worker = this.workers.get(order.id)
    this.orderedAt.set(order.id, this.context.now())
    if (worker === undefined) {
      // An order that comes while its machine is being removed finds it gone, and makes it anew.
      const before = this.removals.get(order.id) ?? Promise.resolve()
      const made = new EnvironmentWorker(order, this.context, before, () => this.forget(order.id))
      this.workers.set(order.id, made)
      made.wake()
      return 'taken'
    }
    if (order.generation < worker.currentOrder.generation) return 'older_generation'
    worker.take(order)
    return 'taken'
  }

  /** The digests of the orders there are, by environment. */
  held(): Record<string, string> {
    return Object.fromEntries(
      [...this.workers.values()].flatMap(({ currentOrder: { id, digest } }) =>
        digest === undefined ? [] : [[id, digest] as const],
      ),
    )
  }

  /** Counts as an order that says the same again. */
  confirm(environmentId: string): void {
    if (this.workers.has(environmentId)) this.orderedAt.set(environmentId, this.context.now())
  }

  /** When its last order came, in milliseconds that only rise; null where there is none. */
  lastOrderAt(environmentId: string): number | null {
    return this.orderedAt.get(environmentId) ?? null
  }

  /**
   * Removes a machine that is wanted no more, and forgets the order there was for it. Resolves with false when a new
   * order came first.
   */
  async removeUnwanted(environmentId: string, generation: number): Promise<boolean> {
    if (this.removals.has(environmentId)) return false
    const worker = this.workers.get(environmentId)
    this.forget(environmentId)
    const removal = Promise.resolve(worker?.settle()).then(() => this.remove(environmentId, generation))
    this.removals.set(
      environmentId,
      removal.catch(() => undefined),
    )
    try {
      return await removal
    } finally {
      this.removals.delete(environmentId)
    }
  }

  wake(environmentId: string): void {
    this.workers.get(environmentId)?.wake()
  }

  pauseChanged(environmentId: string): void {
    this.workers.get(environmentId)?.pauseChanged()
  }

  /** Lets a paused machine go on, unless no order of it is known. A refusal is the log's: it is tried again. */
  async resume(environmentId: string): Promise<void> {
    await this.workers
      .get(environmentId)
      ?.resume()
      .catch((thrown: unknown) => {
        this.context.log.warn({ environmentId, error: toError(thrown) }, 'a paused machine does not go on')
      })
  }

  /** A machine of the host came or went by itself. */
  powerChanged(environmentId: string): void {
    this.workers.get(environmentId)?.powerChanged()
  }

  /** Has everything looked at and reported again. */
  wakeAll(): void {
    for (const worker of this.workers.values()) worker.wake()
  }

  get size(): number {
    return this.workers.size
  }

  /** Resolves when no worker takes a step any more, and nothing is being removed. */
  async settle(): Promise<void> {
    await Promise.all([
      ...[...this.workers.values()].map((worker) => worker.settle()),
      ...this.removals.values(),
    ])
  }

  private forget(environmentId: string): void {
    this.workers.delete(environmentId)
    this.orderedAt.delete(environmentId)
  }

  private async remove(environmentId: string, generation: number): Promise<boolean> {
    const { host, lease } = this.context
    let begun = false
    const authority: Authority = {
      ...lease.authority(generation),
      assertHeld: async () => {
        await lease.assertHeld()
        if (!begun && this.workers.has(environmentId)) throw new OrderCame()
        begun = true
      },
    }
    try {
      await host.remove(environmentId, authority)
      return true
    } catch (thrown) {
      if (thrown instanceof OrderCame) return false
      throw thrown
    }
  }
}

class OrderCame extends Error {}
