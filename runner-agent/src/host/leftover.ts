import type { InventoryEntry } from './machine.ts'

/**
 * Remains of a machine's folder whose creation or removal was interrupted: the name proves our ownership, and it is
 * older than any order.
 */
export function leftoverEntry(owner: string, environmentId: string): InventoryEntry {
  const ownership = { owner, environmentId, epoch: 0, generation: 0, createdAt: '' }
  return { environmentId, power: 'absent', ownership }
}
