/** Limit, in bytes, of what a login shell may print before the agent's program begins. */
export const mostPrefaceBytes = 64 * 1024

/** Removes the output that precedes the marker line. */
export class Preface {
  private held = Buffer.alloc(0)
  private isOver = false
  private bytes = 0
  private readonly marker: Buffer

  constructor(marker: string) {
    this.marker = Buffer.from(`${marker}\n`)
  }

  get hasEnded(): boolean {
    return this.isOver
  }

  get isTooLong(): boolean {
    return !this.isOver && this.bytes > mostPrefaceBytes
  }

  /** The end of what was printed before the marker, for a person to read. */
  get text(): string {
    return this.held.toString('utf8').trim()
  }

  /** Output after the marker. */
  push(chunk: Buffer): Buffer {
    if (this.isOver) return chunk
    this.bytes += chunk.length
    const both = Buffer.concat([this.held, chunk])
    const at = both.indexOf(this.marker)
    if (at < 0) {
      this.held = both.subarray(-Math.max(keptBytes, this.marker.length))
      return Buffer.alloc(0)
    }
    this.isOver = true
    this.held = Buffer.alloc(0)
    return both.subarray(at + this.marker.length)
  }
}

const keptBytes = 300
