import {
  type AcceptedSync,
  environmentWork,
  kindOfSync,
  type OrderEnvelope,
  type SyncRequest,
} from '@hearth/contract'
import type { InventoryItem } from '../work/work.ts'

type Asked = Pick<SyncRequest, 'inventory' | 'kind' | 'work'>

/**
 * The request of a synchronisation for one kind of work. For environments it is the request of the first version,
 * which knew no other kind.
 */
export function questionAbout(
  kind: string,
  items: readonly Omit<InventoryItem, 'owner'>[],
  sequenceOf: (id: string) => number,
): Asked {
  if (kind === environmentWork.kind) {
    const inventory = items.map(({ id, epoch, generation }) => ({ environmentId: id, epoch, generation }))
    return { inventory }
  }
  const work = items.map(({ id, epoch, generation }) => ({ id, epoch, generation, sequence: sequenceOf(id) }))
  return { inventory: [], kind, work }
}

/**
 * Whether the reply is about the kind in the request: a control plane that does not know the kind replies about
 * another.
 */
export function isAnswerTo(kind: string, reply: AcceptedSync<OrderEnvelope>): boolean {
  return kindOfSync(reply) === kind
}
