import { createHash } from 'node:crypto'

/** A file that a process finds in its guest before it runs. */
export interface GuestInput {
  /** Absolute path; its folder is root's. */
  path: string
  user: string
  /** SHA-256, in hexadecimal. */
  digest: string
  bytes: number
}

/** The bytes of an input from some place to its end, in pieces of any size. */
export type ReadInput = (from: number, signal: AbortSignal) => AsyncIterable<Uint8Array>

/** The guest cannot take it, or what came is not what was announced. Another attempt would not help. */
export class InputRefused extends Error {
  override readonly name = 'InputRefused'
}

/** The inputs of one guest. */
export interface GuestInputs {
  /**
   * Has the input in the guest: nothing is sent of one that is there, and what an attempt that was cut short has brought is
   * not sent again. Seen at its path is the whole or nothing. Throws InputRefused, what `read` throws, and CallLost or
   * GuestUnreachable when the guest is not reached.
   */
  bring(input: GuestInput, read: ReadInput, signal: AbortSignal): Promise<'there' | 'brought'>
}

/** Where the pieces of one input are put together. */
export interface InputDraft {
  /** Whether the input is there already, or else how much of it is. */
  look(signal: AbortSignal): Promise<'there' | number>
  append(offset: number, piece: Buffer, signal: AbortSignal): Promise<void>
  /**
   * Puts the whole at its path; false, and nothing is kept, where it has another digest. It is not read again where the digest
   * is known to be right.
   */
  finish(isKnown: boolean, signal: AbortSignal): Promise<boolean>
}

/** Of one piece: an input is never in memory as a whole. */
export const inputPieceBytes = 8 * 1024 * 1024

export async function bringInput(
  draft: InputDraft,
  { path, bytes, digest }: Pick<GuestInput, 'path' | 'bytes' | 'digest'>,
  read: ReadInput,
  signal: AbortSignal,
): Promise<'there' | 'brought'> {
  const seen = await draft.look(signal)
  if (seen === 'there') return seen
  // What an earlier attempt brought is read where it is.
  const hash = seen === 0 ? createHash('sha256') : null
  let offset = seen
  if (offset < bytes) {
    for await (const piece of inPieces(read(offset, signal))) {
      if (offset + piece.length > bytes) throw new InputRefused(`more than ${bytes} bytes came for ${path}`)
      hash?.update(piece)
      await draft.append(offset, piece, signal)
      offset += piece.length
    }
  }
  if (offset < bytes) throw new Error(`${offset} of ${bytes} bytes came for ${path}`)
  const isKnown = hash?.digest('hex') === digest
  if (await draft.finish(isKnown, signal)) return 'brought'
  throw new InputRefused(`what came for ${path} has another digest than was announced`)
}

/** The same bytes in pieces of one size; the buffer of a piece is used again for the next. */
async function* inPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const piece = Buffer.allocUnsafe(inputPieceBytes)
  let filled = 0
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + piece.length - filled)
      piece.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < piece.length) continue
      yield piece
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
