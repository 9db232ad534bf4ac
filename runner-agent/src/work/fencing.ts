import type { OrderEnvelope } from '@hearth/contract'
import type { Refuse } from './work.ts'

/**
 * Why an order is refused: the host shows a newer epoch or generation. Null where it does not. `thing` is the start
 * of the sentence: "the machine".
 */
export function refusal(
  thing: string,
  order: Pick<OrderEnvelope, 'epoch' | 'generation'>,
  shown: { epoch: number; generation: number },
): Refuse | null {
  if (shown.epoch > order.epoch) {
    return {
      kind: 'refuse',
      superseded: true,
      reason: `${thing} shows the lease of epoch ${shown.epoch}, this agent has ${order.epoch}`,
    }
  }
  if (shown.generation > order.generation) {
    return {
      kind: 'refuse',
      superseded: false,
      reason: `${thing} shows generation ${shown.generation}, the order ${order.generation}`,
    }
  }
  return null
}
