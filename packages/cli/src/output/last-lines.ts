/** The last lines of a stream of text, and what of a repeated reading of the stream is new after them. */
export class LastLines {
  #held = ''
  #length = 0
  #repeated = 0

  constructor(private readonly most: number) {}

  add(text: string): void {
    this.#length += text.length
    this.#held += text
    // Cut now and then: each cut looks at all that is held.
    if (this.#held.length > 1024 * 1024) this.#cut()
  }

  get text(): string {
    this.#cut()
    return this.#held
  }

  /** Of a reading from the beginning: what was not there the first time. */
  newsOf(text: string): string {
    const known = Math.max(0, Math.min(text.length, this.#length - this.#repeated))
    this.#repeated += text.length
    return text.slice(known)
  }

  #cut(): void {
    if (this.most === 0) {
      this.#held = ''
      return
    }
    let at = this.#held.length - (this.#held.endsWith('\n') ? 1 : 0)
    for (let lines = 0; lines < this.most && at > 0; lines += 1) at = this.#held.lastIndexOf('\n', at - 1)
    if (at >= 0) this.#held = this.#held.slice(at + 1)
  }
}
