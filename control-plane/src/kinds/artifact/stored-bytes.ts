import { artifactLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { ArchiveBytes } from './archive/archive-bytes.ts'
import { readPiece } from './queries.ts'

/**
 * Bytes of what is read at once. `pg` gets them as text of twice the length, and has several copies of that before it is read:
 * of a whole chunk they would be many MiB. A chunk is so many whole pieces.
 */
const placedBytes = 64 * 1024
const followingBytes = 256 * 1024
const mostKept = 4

/** The bytes of a stored artifact at any place. A few pieces are kept in memory, so that small reads in order cost little. */
export class StoredBytes implements ArchiveBytes {
  private readonly kept = new Map<number, Buffer>()

  constructor(
    private readonly queryable: Queryable,
    private readonly id: string,
    readonly length: number,
  ) {}

  async read(from: number, to: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let at = from; at < to; ) {
      const start = at - (at % placedBytes)
      const piece = await this.piece(start)
      const part = piece.subarray(at - start, Math.min(to - start, piece.length))
      parts.push(part)
      at += part.length
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  private async piece(start: number): Promise<Buffer> {
    const kept = this.kept.get(start)
    if (kept !== undefined) return kept
    const piece = await storedPiece(this.queryable, this.id, start, placedBytes)
    const [oldest] = this.kept.keys()
    if (this.kept.size >= mostKept && oldest !== undefined) this.kept.delete(oldest)
    this.kept.set(start, piece)
    return piece
  }
}

/** The bytes of an artifact from some place to its end; never more than a piece of them is in memory. */
export async function* artifactBytes(
  queryable: Queryable,
  { id, length, from = 0 }: { id: string; length: number; from?: number },
): AsyncGenerator<Buffer, void> {
  for (let at = from; at < length; ) {
    const piece = await storedPiece(queryable, id, at, followingBytes - (at % followingBytes))
    at += piece.length
    yield piece
  }
}

/** Bytes from a place on, which must not go beyond the end of its chunk. */
async function storedPiece(queryable: Queryable, id: string, at: number, bytes: number): Promise<Buffer> {
  const { chunkBytes } = artifactLimits
  const from = at % chunkBytes
  const piece = await readPiece(queryable, id, { number: (at - from) / chunkBytes, from, bytes })
  if (piece !== undefined && piece.length > 0) return piece
  throw new HearthError('not_found', `there is no artifact ${id} any more`)
}
