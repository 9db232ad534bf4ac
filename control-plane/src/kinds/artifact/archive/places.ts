import type { ArchiveBytes } from './archive-bytes.ts'

/** An entry as the directory of the ZIP has it. */
export interface Placed {
  name: string
  method: number
  bytes: number
  /** Of the header that stands before its bytes. */
  offset: number
}

const signature = 0x04034b50
const headerBytes = 30

/**
 * What is wrong with where the entries are: two that share bytes, or one whose header says otherwise than the directory,
 * so that two programs would unpack different files. Reads the ZIP once, from its beginning to its end.
 */
export async function placesFault(
  placed: readonly Placed[],
  bytes: ArchiveBytes,
): Promise<{ name: string; fault: string } | null> {
  let end = 0
  for (const entry of placed.toSorted((a, b) => a.offset - b.offset)) {
    const { name } = entry
    if (entry.offset < end) return { name, fault: 'shares bytes with another entry' }
    if (entry.offset + headerBytes > bytes.length) return { name, fault: 'is beyond the end of the file' }
    const header = await bytes.read(entry.offset, entry.offset + headerBytes)
    if (header.readUInt32LE(0) !== signature)
      return { name, fault: 'is not where the directory of the ZIP says' }
    const nameEnd = entry.offset + headerBytes + header.readUInt16LE(26)
    end = nameEnd + header.readUInt16LE(28) + entry.bytes
    if (end > bytes.length) return { name, fault: 'is beyond the end of the file' }
    const inHeader = await bytes.read(entry.offset + headerBytes, nameEnd)
    if (!inHeader.equals(Buffer.from(name)) || header.readUInt16LE(8) !== entry.method)
      return { name, fault: 'is another one by its own header than by the directory of the ZIP' }
  }
  return null
}
