import { isStorable, type JournalLine, journalLimits } from '@hearth/contract'

const newline = 0x0a

/** The lines of a run's output that begin with a prefix, each known by the offset of its first byte; the newest of them. */
export class Journal {
  private kept: JournalLine[] = []
  /** The beginning of a line that has not ended; null for one that is too long, or whose beginning is not known. */
  private begun: Buffer | null = Buffer.alloc(0)
  private begunAt = 0
  private position = 0
  private readonly prefix: Buffer

  constructor(
    private readonly run: number,
    prefix: string,
    private readonly mask: (text: string) => string,
  ) {
    this.prefix = Buffer.from(prefix)
  }

  get lines(): readonly JournalLine[] {
    return this.kept
  }

  /** Takes the next piece of the output; true when a line of the journal has ended in it. */
  add(offset: number, chunk: Buffer): boolean {
    // The rest of a line whose beginning is not kept is none.
    if (offset > this.position) this.begun = null
    let isNews = false
    let at = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, at)) {
      this.extend(chunk.subarray(at, end))
      if (this.end()) isNews = true
      at = end + 1
      this.begun = Buffer.alloc(0)
      this.begunAt = offset + at
    }
    this.extend(chunk.subarray(at))
    this.position = offset + chunk.length
    return isNews
  }

  private extend(piece: Buffer): void {
    if (this.begun === null || piece.length === 0) return
    const bytes = this.begun.length + piece.length
    this.begun =
      bytes > this.prefix.length + journalLimits.lineBytes ? null : Buffer.concat([this.begun, piece], bytes)
  }

  private end(): boolean {
    const { begun, prefix } = this
    if (begun === null || !begun.subarray(0, prefix.length).equals(prefix)) return false
    const text = this.mask(begun.subarray(prefix.length).toString('utf8'))
    if (!isStorable(text) || Buffer.byteLength(text) > journalLimits.lineBytes) return false
    this.kept = [...this.kept, { run: this.run, offset: this.begunAt, text }].slice(-journalLimits.lines)
    return true
  }
}
