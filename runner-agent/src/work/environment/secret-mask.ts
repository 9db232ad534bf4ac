import { StringDecoder } from 'node:string_decoder'

const shortestMasked = 4
/** A line of a value with several is masked by itself too, unless it is so short that it may be anything. */
const shortestMaskedLine = 8
const replacement = '***'

/**
 * Replaces secret values in a stream of bytes, also where a value is cut by the end of a chunk: what may be the
 * start of one is held back until it is clear. The result does not depend on how the stream was cut.
 */
export class SecretMask {
  /** As bytes in latin1, longest first. */
  private readonly values: readonly string[]
  private readonly longest: number
  private readonly decoder = new StringDecoder('utf8')
  private held = ''

  constructor(secrets: readonly string[]) {
    const lines = secrets.flatMap((secret) =>
      secret.split(/\r?\n/).filter((line) => line.length >= shortestMaskedLine),
    )
    const all = [...secrets.filter((secret) => secret.length >= shortestMasked), ...lines]
    this.values = [...new Set(all)]
      .map((value) => Buffer.from(value, 'utf8').toString('latin1'))
      .sort((left, right) => right.length - left.length)
    this.longest = this.values[0]?.length ?? 0
  }

  /** The text that is clear by now. */
  push(chunk: Buffer): string {
    this.held += chunk.toString('latin1')
    return this.release(false)
  }

  /** The rest, at the end of the stream. */
  end(): string {
    return this.release(true) + clean(this.decoder.end())
  }

  private release(ended: boolean): string {
    let clear = ''
    let at = 0
    while (at < this.held.length) {
      if (!ended && this.mayBecomeLonger(at)) break
      const value = this.values.find((each) => this.held.startsWith(each, at))
      if (value === undefined) {
        const next = this.nextStart(at + 1)
        clear += this.held.slice(at, next)
        at = next
      } else {
        clear += replacement
        at += value.length
      }
    }
    this.held = this.held.slice(at)
    return clean(this.decoder.write(Buffer.from(clear, 'latin1')))
  }

  private mayBecomeLonger(at: number): boolean {
    const rest = this.held.length - at
    if (rest >= this.longest) return false
    const tail = this.held.slice(at)
    return this.values.some((value) => value.length > rest && value.startsWith(tail))
  }

  /** The next place where a value begins, or may. */
  private nextStart(from: number): number {
    let nearest = this.held.length
    for (const value of this.values) {
      const first = value.charAt(0)
      const found = this.held.indexOf(first, from)
      if (found >= 0 && found < nearest) nearest = found
    }
    return nearest
  }
}

/** A text may go into databases that refuse NUL. */
function clean(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}
