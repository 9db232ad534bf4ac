/** Most bytes of orders held in memory while they are published. */
const mostBytesAtOnce = 8 * 1024 * 1024

/** Splits items, in order, into parts of a maximum size in bytes; an item that is larger is a part by itself. */
export function partsOf<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  mostBytes = mostBytesAtOnce,
): Item[][] {
  const parts: Item[][] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    const part = parts.at(-1)
    if (part === undefined || bytes + size > mostBytes) {
      parts.push([item])
      bytes = size
    } else {
      part.push(item)
      bytes += size
    }
  }
  return parts
}
