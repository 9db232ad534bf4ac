/** The most bytes of orders that are held at once to be published. */
const mostBytesAtOnce = 8 * 1024 * 1024

/** The items in order, in parts of so many bytes at most; one that has more is a part alone. */
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
