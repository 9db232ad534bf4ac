import type { LogChunk } from '@hearth/contract'

/** The output as text; pieces that come twice are left out. What is printed by several begins with a line `== name` each. */
export async function* asText(
  chunks: AsyncIterable<LogChunk>,
  nameOf: ((step: string) => string) | null = (step) => step,
): AsyncGenerator<string> {
  const positions = new Map<string, number>()
  let last = ''
  let atLineStart = true
  for await (const { step, offset, text } of chunks) {
    const position = positions.get(step) ?? 0
    const bytes = Buffer.from(text)
    const end = offset + bytes.length
    if (end <= position && offset !== 0) continue
    // From its start once more: the step was tried again.
    const isNew = offset >= position || offset === 0
    const piece = isNew ? text : bytes.subarray(position - offset).toString('utf8')
    positions.set(step, end)
    if (step !== last) {
      if (nameOf !== null) yield `${atLineStart ? '' : '\n'}== ${nameOf(step)}\n`
      last = step
    }
    if (piece === '') continue
    atLineStart = piece.endsWith('\n')
    yield piece
  }
}
