/** What the header of a qcow2 file says, as far as layers need it. */
export interface Qcow2Header {
  /** Path of the file below; null for a disk that stands alone. */
  backingFile: string | null
  virtualBytes: number
  /** Whether the data stands in another file, which no disk of Hearth has. */
  hasDataFile: boolean
}

/** Bytes from the start of a file that hold its header and the path of the file below, as qemu-img writes them. */
export const headerBytes = 2_048

const magic = 0x51_46_49_fb
const externalDataFile = 0x4n

/** Null for bytes that are no complete header. */
export function parseQcow2Header(bytes: Buffer): Qcow2Header | null {
  if (bytes.length < 104 || bytes.readUInt32BE(0) !== magic) return null
  const version = bytes.readUInt32BE(4)
  const [at, length] = [Number(bytes.readBigUInt64BE(8)), bytes.readUInt32BE(16)]
  if (at + length > bytes.length) return null
  return {
    backingFile: at === 0 ? null : bytes.toString('utf8', at, at + length),
    virtualBytes: Number(bytes.readBigUInt64BE(24)),
    hasDataFile: version >= 3 && (bytes.readBigUInt64BE(72) & externalDataFile) !== 0n,
  }
}
