import { SecretMask } from './secret-mask.ts'

const keptCharacters = 4_096
const keptLines = 20

export interface StepOutputListeners {
  /** Gets each piece of masked text with the offset of its first byte. */
  onText(text: string, offset: number): void
  onEnd(totalBytes: number): void
}

/** One step's output as it may be shown: masked, with its end kept and its bytes counted. */
export class StepOutput {
  private readonly mask: SecretMask
  private text = ''
  private countedBytes = 0

  private hasEnded = false

  constructor(
    secrets: readonly string[],
    private readonly listeners: StepOutputListeners,
  ) {
    this.mask = new SecretMask(secrets)
  }

  readonly add = (chunk: Buffer): void => this.take(this.mask.push(chunk))

  /** May be called again, and then does nothing. */
  end(): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.take(this.mask.end())
    this.listeners.onEnd(this.countedBytes)
  }

  get bytes(): number {
    return this.countedBytes
  }

  /** At most the last 4 KiB. */
  get tail(): string {
    let tail = this.text
    while (Buffer.byteLength(tail) > keptCharacters) {
      tail = tail.slice(Math.max(1, Math.floor((Buffer.byteLength(tail) - keptCharacters) / 3)))
    }
    // Half a surrogate pair at the cut is no character.
    return tail.replace(/^[\udc00-\udfff]/, '')
  }

  get lastLines(): string[] {
    return lastLines(this.tail)
  }

  private take(text: string): void {
    if (text === '') return
    const offset = this.countedBytes
    this.countedBytes += Buffer.byteLength(text)
    this.text = (this.text + text).slice(-keptCharacters)
    this.listeners.onText(text, offset)
  }
}

/** The last 20 lines of a text, without the empty end. */
export function lastLines(text: string): string[] {
  const trimmed = text.replace(/\s+$/, '')
  return trimmed === '' ? [] : trimmed.split('\n').slice(-keptLines)
}
