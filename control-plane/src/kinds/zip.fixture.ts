import { crc32, deflateRawSync } from 'node:zlib'

/** An entry of a ZIP as its headers say it is; what is not given is as it should be. */
export interface HandMadeEntry {
  name: string | Buffer
  content?: string | Buffer
  method?: number
  flags?: number
  /** The upper half of the external attributes, as in `0o120777`. */
  mode?: number
  unpackedBytes?: number
  bytes?: number
  /** In the header before the bytes, where it differs. */
  nameInHeader?: string
  offset?: number
  extra?: Buffer
}

/** A ZIP with nothing checked, for those that no program would make. */
export function handMadeZip(
  entries: readonly HandMadeEntry[],
  { count = entries.length, comment = '' }: { count?: number; comment?: string } = {},
): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const name = Buffer.isBuffer(entry.name) ? entry.name : Buffer.from(entry.name)
    const content = Buffer.from(entry.content ?? '')
    const method = entry.method ?? 8
    const data = method === 8 ? deflateRawSync(content) : content
    const extra = entry.extra ?? Buffer.alloc(0)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(entry.flags ?? 0x800, 2)
    fields.writeUInt16LE(method, 4)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(entry.bytes ?? data.length, 14)
    fields.writeUInt32LE(entry.unpackedBytes ?? content.length, 18)
    const nameInHeader = Buffer.from(entry.nameInHeader ?? name)
    fields.writeUInt16LE(nameInHeader.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, nameInHeader, data])
    fields.writeUInt16LE(name.length, 22)
    fields.writeUInt16LE(extra.length, 24)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((entry.mode ?? 0o100644) * 0x10000, 6)
    tail.writeUInt32LE(entry.offset ?? offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields, tail, name, extra)
    bodies.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...bodies, central, end, Buffer.from(comment)])
}
