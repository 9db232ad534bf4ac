import { toError } from '@hearth/foundation'

export interface Carried<Item> {
  done: ReadonlySet<Item>
  failures: readonly { item: Item; error: Error }[]
}

/**
 * Does `work` for all items at once, but for those of one key one after another, in the order given. Where it fails,
 * nothing later of the same key is done. Nothing is begun any more once `isOver`.
 */
export async function carryInOrder<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  work: (item: Item) => Promise<void>,
  isOver: () => boolean,
): Promise<Carried<Item>> {
  const lines = new Map<string, Item[]>()
  for (const item of items) {
    const line = lines.get(keyOf(item))
    if (line === undefined) lines.set(keyOf(item), [item])
    else line.push(item)
  }
  const done = new Set<Item>()
  const failures: { item: Item; error: Error }[] = []
  const carryLine = async (line: readonly Item[]) => {
    for (const item of line) {
      if (isOver()) return
      try {
        await work(item)
        done.add(item)
      } catch (error) {
        failures.push({ item, error: toError(error) })
        return
      }
    }
  }
  await Promise.all([...lines.values()].map(carryLine))
  return { done, failures }
}
