import { environmentWork, isOrderOf, type OrderEnvelope } from '@hearth/contract'
import { Inbox, type Receipt } from './inbox.ts'
import type { WorkHandler } from './work.ts'
import type { WorkContext } from './work-context.ts'

/** Everything the agent works on: an inbox for each kind of work. */
export class AgentWork {
  readonly kinds: readonly { handler: WorkHandler; inbox: Inbox }[]

  constructor(
    handlers: readonly WorkHandler[],
    private readonly context: WorkContext,
    identity: { runnerId: string; epoch: number },
  ) {
    this.kinds = handlers.map((handler) => ({ handler, inbox: new Inbox(handler, context, identity) }))
  }

  /** Passes an order to the inbox of its kind; a refused order is logged. */
  put(order: OrderEnvelope): Receipt {
    const kind = this.kinds.find(({ handler }) => isOrderOf(handler.messages, order))
    if (kind === undefined) throw new Error(`nobody does work of the kind "${order.kind}"`)
    const receipt = kind.inbox.put(order)
    if (receipt !== 'taken' && receipt !== 'superseded') {
      const { id, epoch, generation } = order
      this.context.log.info({ kind: order.kind, id, epoch, generation, receipt }, 'order refused')
    }
    return receipt
  }

  /** Runs until the signal aborts. */
  async listen(signal: AbortSignal): Promise<void> {
    await Promise.all(this.kinds.map(({ handler, inbox }) => handler.listen(inbox, signal)))
  }

  get environments(): number {
    return this.kinds.find(({ handler }) => handler.messages.kind === environmentWork.kind)?.inbox.size ?? 0
  }

  get warnings(): string[] {
    return this.kinds.flatMap(({ handler }) => handler.warnings)
  }

  /** Resolves when all workers have ended their current step and all removals are done. */
  async settle(): Promise<void> {
    await Promise.all(this.kinds.map(({ inbox }) => inbox.settle()))
  }
}
