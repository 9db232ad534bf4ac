/** The wire types of RFC 4251, section 5, as OpenSSH uses them in keys and certificates. */
export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, 'utf8')
  return Buffer.concat([uint32(bytes.length), bytes])
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** Reads length-prefixed strings one after another; throws where the bytes end early. */
export class Reader {
  private offset = 0

  constructor(private readonly bytes: Buffer) {}

  next(): Buffer {
    const start = this.offset + 4
    const end = start + this.bytes.readUInt32BE(this.offset)
    if (end > this.bytes.length) throw new RangeError('the key ends early')
    this.offset = end
    return this.bytes.subarray(start, end)
  }

  rest(): Buffer {
    return this.bytes.subarray(this.offset)
  }
}
