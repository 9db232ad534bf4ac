import { startOfText } from '@hearth/contract'
import { KeptText } from './kept-text.ts'
import type { SecretAutomaton } from './secret-automaton.ts'
import { SecretMask } from './secret-mask.ts'

const keptLines = 20
const mostNoteBytes = 4 * 1024

export interface StepOutputListeners {
  /** Gets each piece of masked text with the offset of its first byte. */
  onText(text: string, offset: number): void
  onEnd(totalBytes: number): void
}

/** One step's output as it may be shown: masked, with both its ends kept and its bytes counted. */
export class StepOutput {
  private readonly mask: SecretMask
  private readonly kept = new KeptText()
  private hasEnded = false

  constructor(
    secrets: SecretAutomaton,
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
    this.listeners.onEnd(this.kept.bytes)
  }

  get bytes(): number {
    return this.kept.bytes
  }

  /** At most 4 KiB, from both its ends. */
  get shown(): string {
    return this.kept.shown
  }

  get lastLines(): string[] {
    return lastLines(this.kept.end)
  }

  private take(text: string): void {
    if (text === '') return
    const offset = this.kept.bytes
    this.kept.add(text)
    this.listeners.onText(text, offset)
  }
}

/** What a guest said of itself, as the output of a step that prints nothing else. */
export function noteAsOutput(note: string): { output: string; outputBytes: number } {
  const output = startOfText(note.toWellFormed().replaceAll('\0', '\uFFFD'), mostNoteBytes)
  return { output, outputBytes: Buffer.byteLength(output) }
}

/** The last 20 lines of a text, without the empty end. */
export function lastLines(text: string): string[] {
  const trimmed = text.trimEnd()
  return trimmed === '' ? [] : trimmed.split('\n').slice(-keptLines)
}
