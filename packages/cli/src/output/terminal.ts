import { styleText } from 'node:util'
import { visibleText } from './visible-text.ts'

export type Tone = 'good' | 'bad' | 'busy' | 'quiet' | 'strong' | 'plain'

/**
 * Where a command writes: results to `out`, everything about how it goes to `note`. All but `verbatim` shows control
 * characters instead of sending them: names, output and errors come from guests, repositories and other people.
 */
export interface Terminal {
  /** Writes a result, with a newline. */
  out(text: string): void
  /** Writes a result without a newline of its own. */
  raw(text: string): void
  /** Writes what a guest printed exactly as it came, because the person asked for that. */
  verbatim(text: string): void
  /** Tells the person something that is no result. */
  note(text: string): void
  /** Colours text, or leaves it as it is where colours are not wanted. */
  tone(tone: Tone, text: string): string
  /** Whether a person watches the results. */
  isInteractive: boolean
}

const formats = { good: 'green', bad: 'red', busy: 'yellow', quiet: 'gray', strong: 'bold' } as const

export function terminalOf(
  streams: { out: NodeJS.WriteStream; note: NodeJS.WriteStream },
  noColour: boolean,
): Terminal {
  const isInteractive = streams.out.isTTY === true
  const coloured = isInteractive && !noColour
  return {
    out: (text) => void streams.out.write(`${visibleText(text)}\n`),
    raw: (text) => void streams.out.write(visibleText(text)),
    verbatim: (text) => void streams.out.write(text),
    note: (text) => void streams.note.write(`${visibleText(text)}\n`),
    tone: (tone, text) =>
      !coloured || tone === 'plain' ? text : styleText(formats[tone], text, { validateStream: false }),
    isInteractive,
  }
}
