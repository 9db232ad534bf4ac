import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml'

/** A place in a text that an editor can go to; both count from 1. */
export interface Place {
  line: number
  column: number
}

/** Where a path of a document stands in its text; for a missing field, where its nearest parent stands. */
export function placeOf(
  path: readonly PropertyKey[],
  { document, lines }: { document: Document; lines: LineCounter },
): Place {
  return placeAt(
    offsetOf(
      document,
      path.filter((part) => typeof part !== 'symbol'),
    ),
    lines,
  )
}

export function placeAt(offset: number, lines: LineCounter): Place {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function offsetOf(document: Document, path: readonly (string | number)[]): number {
  const parent = document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (last !== undefined && isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last)
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0
  }
  const node = document.getIn(path, true)
  if (isNode(node)) return node.range?.[0] ?? 0
  return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1))
}
