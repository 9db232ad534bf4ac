import type { EnvironmentOrder } from '@hearth/contract'
import type { WorkContext } from './work-context.ts'
import { EnvironmentWorker } from './worker.ts'

export type Receipt = 'taken' | 'other_runner' | 'older_epoch' | 'older_generation' | 'superseded'

/** The newest order of each environment, with the worker that fulfils it. */
export class EnvironmentInbox {
  private readonly workers = new Map<string, EnvironmentWorker>()

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
    if (worker === undefined) {
      const made = new EnvironmentWorker(order, this.context, () => this.workers.delete(order.id))
      this.workers.set(order.id, made)
      made.wake()
      return 'taken'
    }
    if (order.generation < worker.currentOrder.generation) return 'older_generation'
    worker.take(order)
    return 'taken'
  }

  has(environmentId: string): boolean {
    return this.workers.has(environmentId)
  }

  wake(environmentId: string): void {
    this.workers.get(environmentId)?.wake()
  }

  /** Has everything looked at and reported again. */
  wakeAll(): void {
    for (const worker of this.workers.values()) worker.wake()
  }

  get size(): number {
    return this.workers.size
  }

  /** Resolves when no worker takes a step any more. */
  async settle(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.settle()))
  }
}
