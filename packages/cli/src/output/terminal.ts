import { styleText } from 'node:util'
import { visibleText } from './visible-text.ts'

export type Tone = 'good' | 'bad' | 'busy' | 'quiet' | 'strong' | 'plain'

/**
 * Output of a command: results go to `out`, messages about progress to `note`. All methods but `verbatim` show
 * control characters instead of sending them, because names, output and errors come from guests, repositories and
 * other users.
 */
export interface Terminal {
  /** Writes a result, with a newline. */
  out(text: string): void
  /** Writes a result without a newline of its own. */
  raw(text: string): void
  /** Writes a guest's output unchanged, because the user asked for that. */
  verbatim(text: string): void
  /** Writes a message that is not part of the result. */
  note(text: string): void
  /** Colours text, or returns it unchanged where colours are disabled. */
  tone(tone: Tone, text: string): string
  /** Whether the results go to a terminal. */
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
