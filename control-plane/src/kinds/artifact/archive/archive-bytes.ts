import { Readable } from 'node:stream'
import { RandomAccessReader } from 'yauzl'

/** The bytes of a ZIP, wherever they are kept. */
export interface ArchiveBytes {
  length: number
  /** Those from the first place up to the second, which is left out. Both are within the length. */
  read(from: number, to: number): Promise<Buffer>
}

const pieceBytes = 64 * 1024

/** Lets yauzl read them. What `read` rejects with is in `failure`, so that it is not taken for a fault of the ZIP. */
export class ArchiveReader extends RandomAccessReader {
  failure: unknown = null

  constructor(private readonly bytes: ArchiveBytes) {
    super()
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    const end = position + length
    if (position < 0 || end > this.bytes.length) {
      callback(new Error('the file ends too early'))
      return
    }
    this.bytes.read(position, end).then(
      (read) => {
        read.copy(buffer, offset)
        callback(null, read.length)
      },
      (error: unknown) => {
        this.failure = error
        callback(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const { bytes } = this
    return Readable.from(
      (async function* pieces() {
        for (let at = start; at < end; at += pieceBytes)
          yield await bytes.read(at, Math.min(end, at + pieceBytes))
      })(),
      { objectMode: false },
    )
  }
}
