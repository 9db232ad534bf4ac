import { startOfText } from '@hearth/contract'
import type { SecretAutomaton } from '../secret-automaton.ts'
import { KeptText } from './kept-text.ts'
import { SecretMask } from './secret-mask.ts'

const keptLines = 20
const mostNoteBytes = 4 * 1024

export interface StepOutputListeners {
  /** Called with each piece of masked text and the offset of its first byte. */
  onText(text: string, offset: number): void
  onEnd(totalBytes: number): void
}

/** One step's output for display: masked, with both ends kept and all bytes counted. */
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

  /** Ends the output; a repeated call does nothing. */
  end(): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.take(this.mask.end())
    this.listeners.onEnd(this.kept.bytes)
  }

  get bytes(): number {
    return this.kept.bytes
  }

  /** At most 4 KiB of the output, from both ends. */
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

/** A guest's identity as text, the output of a step that prints nothing else. */
export function noteAsOutput(note: string): { output: string; outputBytes: number } {
  const output = startOfText(note.toWellFormed().replaceAll('\0', '\uFFFD'), mostNoteBytes)
  return { output, outputBytes: Buffer.byteLength(output) }
}

/** The last 20 lines of a text, without trailing empty lines. */
export function lastLines(text: string): string[] {
  const trimmed = text.trimEnd()
  return trimmed === '' ? [] : trimmed.split('\n').slice(-keptLines)
}
