const headBytes = 1_024
const tailBytes = 3_072

/** Keeps both ends of a text of any length: 4 KiB in all, with a line between them that says what was left out. */
export class KeptText {
  private head = ''
  private headIsFull = false
  private tail = ''
  private countedBytes = 0

  add(text: string): void {
    this.countedBytes += Buffer.byteLength(text)
    let rest = text
    if (!this.headIsFull) {
      const both = this.head + text
      this.head = firstBytes(both, headBytes)
      this.headIsFull = this.head.length < both.length
      rest = both.slice(this.head.length)
    }
    // Twice as many characters as bytes are kept; the text is shortened when it is shown.
    this.tail = (this.tail + rest).slice(-2 * tailBytes)
  }

  get bytes(): number {
    return this.countedBytes
  }

  /** The end of the text, at most 3 KiB, after the kept beginning. */
  get end(): string {
    const tail = lastBytes(this.tail, tailBytes)
    return this.leftOut(tail) === 0 ? this.head + tail : tail
  }

  /** The whole text where it is small, else both ends. */
  get shown(): string {
    const tail = lastBytes(this.tail, tailBytes)
    const leftOut = this.leftOut(tail)
    if (leftOut === 0) return this.head + tail
    return `${this.head}\n[... ${leftOut} bytes left out here; the whole is in the log ...]\n${tail}`
  }

  private leftOut(tail: string): number {
    return this.countedBytes - Buffer.byteLength(this.head) - Buffer.byteLength(tail)
  }
}

/** The longest prefix of whole characters that fits. */
function firstBytes(text: string, most: number): string {
  let length = Math.min(text.length, most)
  while (Buffer.byteLength(text.slice(0, length)) > most) length -= 1
  return /[\ud800-\udbff]$/.test(text.slice(0, length)) ? text.slice(0, length - 1) : text.slice(0, length)
}

/** The longest suffix of whole characters that fits. */
function lastBytes(text: string, most: number): string {
  let start = Math.max(0, text.length - most)
  while (Buffer.byteLength(text.slice(start)) > most) start += 1
  return text.slice(start).replace(/^[\udc00-\udfff]/, '')
}
