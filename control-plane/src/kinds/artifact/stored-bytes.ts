import { artifactLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { ArchiveBytes } from './archive/archive-bytes.ts'
import { readChunk } from './queries.ts'

const { chunkBytes } = artifactLimits

/** The bytes of a stored artifact at any place. Two chunks are kept in memory, so that small reads in order cost little. */
export class StoredBytes implements ArchiveBytes {
  private readonly kept = new Map<number, Buffer>()

  constructor(
    private readonly queryable: Queryable,
    private readonly id: string,
    readonly length: number,
  ) {}

  async read(from: number, to: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (let at = from; at < to; ) {
      const number = Math.floor(at / chunkBytes)
      const start = number * chunkBytes
      const chunk = await this.chunk(number)
      const piece = chunk.subarray(at - start, Math.min(to - start, chunk.length))
      if (piece.length === 0) break
      pieces.push(piece)
      at += piece.length
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
  }

  private async chunk(number: number): Promise<Buffer> {
    const kept = this.kept.get(number)
    if (kept !== undefined) return kept
    const chunk = await storedChunk(this.queryable, this.id, number)
    const [oldest] = this.kept.keys()
    if (this.kept.size >= 2 && oldest !== undefined) this.kept.delete(oldest)
    this.kept.set(number, chunk)
    return chunk
  }
}

/** The bytes of an artifact from some place to its end; never more than a chunk of them is in memory. */
export async function* artifactBytes(
  queryable: Queryable,
  { id, length, from = 0 }: { id: string; length: number; from?: number },
): AsyncGenerator<Buffer, void> {
  for (let at = from; at < length; ) {
    const number = Math.floor(at / chunkBytes)
    const piece = (await storedChunk(queryable, id, number)).subarray(at - number * chunkBytes)
    at += piece.length
    yield piece
  }
}

async function storedChunk(queryable: Queryable, id: string, number: number): Promise<Buffer> {
  const chunk = await readChunk(queryable, id, number)
  if (chunk !== undefined) return chunk
  throw new HearthError('not_found', `there is no artifact ${id} any more`)
}
