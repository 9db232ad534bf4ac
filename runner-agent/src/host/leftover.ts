import type { InventoryEntry } from './machine.ts'

/** What a cut left of a machine's folder that was being made or removed: ours by its name, older than any order. */
export function leftoverEntry(owner: string, environmentId: string): InventoryEntry {
  const ownership = { owner, environmentId, epoch: 0, generation: 0, createdAt: '' }
  return { environmentId, power: 'absent', ownership }
}
