import { toError } from '@hearth/foundation'

export interface Carried<Item> {
  done: ReadonlySet<Item>
  failures: readonly { item: Item; error: Error }[]
}

/**
 * Runs `work` for all items concurrently, but for items of one key in the order given. After a failure no later item of
 * that key is run; once `isOver` no item is begun.
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
