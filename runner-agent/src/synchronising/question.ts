import {
  type AcceptedSync,
  environmentWork,
  kindOfSync,
  type OrderEnvelope,
  type SyncRequest,
} from '@hearth/contract'
import type { InventoryItem } from '../work/work.ts'

type Asked = Pick<SyncRequest, 'inventory' | 'kind' | 'work'>

/** What is asked of one kind of work. Environments are asked about as by the first version, which knew no other. */
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

/** Whether it answers what was asked: a control plane that does not know the kind answers something else. */
export function isAnswerTo(kind: string, reply: AcceptedSync<OrderEnvelope>): boolean {
  return kindOfSync(reply) === kind
}
