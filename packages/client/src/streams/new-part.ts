import type { LogChunk } from '@hearth/contract'

/** What of a piece has not been seen yet, by its offset in bytes; null when nothing is new. Notes what it lets pass. */
export function newPart(chunk: LogChunk, seen: Map<string, number>): LogChunk | null {
  const bytes = Buffer.from(chunk.text)
  const already = seen.get(chunk.step) ?? 0
  const end = chunk.offset + bytes.length
  const skipped = Math.max(0, already - chunk.offset)
  if (skipped >= bytes.length && !(chunk.end && already <= end)) return null
  // One past the end marks the step as ended, so that a repeated last piece is not shown as a second end.
  seen.set(chunk.step, Math.max(already, end + (chunk.end ? 1 : 0)))
  const fresh = bytes.subarray(Math.min(skipped, bytes.length))
  return { ...chunk, offset: chunk.offset + Math.min(skipped, bytes.length), text: fresh.toString() }
}
