/** The start of a file that `virsh save` or a snapshot with memory wrote, of libvirt 9 and QEMU 7.2. */
export const memoryHeadBytes = 92

const magic = 'LibvirtQemudSave'
/** First bytes of QEMU's own stream, which follows libvirt's head and definition. */
export const streamMagic = 'QEVM'

export type MemoryHead = { streamOffset: number } | { fault: string }

/**
 * Where QEMU's stream begins: after a head of 92 bytes (magic, version, length of what follows, whether it ran, how it
 * is compressed; in the byte order of the host) and the definition and cookie of that length.
 */
export function parseMemoryHead(head: Buffer): MemoryHead {
  if (head.length < memoryHeadBytes || head.toString('latin1', 0, magic.length) !== magic) {
    return { fault: 'the memory image does not begin as libvirt writes it' }
  }
  const version = head.readUInt32LE(16)
  const compression = head.readUInt32LE(28)
  if (version > 3) return { fault: `the memory image has version ${version} of libvirt's format` }
  if (compression !== 0) return { fault: 'the memory image is compressed' }
  return { streamOffset: memoryHeadBytes + head.readUInt32LE(20) }
}
