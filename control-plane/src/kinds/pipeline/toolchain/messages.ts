import { endOfText, type PipelineMessage, startOfText } from '@hearth/contract'
import { z } from 'zod'

/** What of a guest's output is looked at, and what is kept of it. */
const most = {
  outputBytes: 1024 * 1024,
  lineBytes: 16 * 1024,
  messages: 100,
  messageBytes: 4 * 1024,
  typeBytes: 200,
  snippetBytes: 4 * 1024,
  /** Of the texts of all messages together. */
  bytes: 64 * 1024,
} as const

const place = z.int().min(1).max(2_147_483_647)
/** One line of what `check` and `build` of a toolchain print. */
const faultSchema = z.object({
  line: place,
  column: place,
  endLine: place.optional().catch(undefined),
  endColumn: place.optional().catch(undefined),
  isWarning: z.boolean().catch(false),
  type: z.string().catch('Error'),
  message: z.string(),
  snippet: z.string().nullable().catch(null),
})

/** As compilers say it: `main.c:3:14: error: …`. A time of day is no place. */
const spoken = /^(?!\d+:)([^\s:][^:]{0,1000}):(\d{1,9}):(\d{1,9}): (?:(error|warning|fatal error): )?(.*)$/

/**
 * The faults that a check or a build has printed, in order: a JSON object a line, or `FILE:LINE:COLUMN: …` as compilers print it;
 * all else is passed over. Where it failed and said none of it so, the end of the output is the only one. The output is a guest's: what
 * does not fit is no fault, and what is too long is cut, the first messages staying.
 */
export function messagesOf(output: string, { hasFailed = false } = {}): PipelineMessage[] {
  const messages: PipelineMessage[] = []
  let bytes = 0
  for (const line of endOfText(output, most.outputBytes).split('\n')) {
    if (messages.length === most.messages) break
    const message = line.length > most.lineBytes ? null : (toFault(line) ?? toSpoken(line))
    if (message === null) continue
    bytes += bytesOf(message)
    if (bytes > most.bytes) break
    messages.push(message)
  }
  if (messages.length > 0 || !hasFailed || output.trim() === '') return messages
  return [{ ...nowhere, message: plain(endOfText(output.trim(), most.messageBytes), most.messageBytes) }]
}

const bytesOf = ({ type, message, snippet }: PipelineMessage) =>
  Buffer.byteLength(type) + Buffer.byteLength(message) + Buffer.byteLength(snippet ?? '')

const nowhere: Omit<PipelineMessage, 'message'> = {
  startLine: 0,
  startColumn: 0,
  endLine: 0,
  endColumn: 0,
  isWarning: false,
  type: 'Error',
  snippet: null,
}

function toFault(line: string): PipelineMessage | null {
  if (!line.startsWith('{')) return null
  let said: unknown
  try {
    said = JSON.parse(line)
  } catch {
    return null
  }
  const fault = faultSchema.safeParse(said)
  if (!fault.success) return null
  const { line: startLine, column: startColumn, endLine, endColumn, isWarning, ...texts } = fault.data
  const isForward =
    endLine !== undefined &&
    endColumn !== undefined &&
    (endLine > startLine || (endLine === startLine && endColumn >= startColumn))
  return {
    startLine,
    startColumn,
    ...(isForward ? { endLine, endColumn } : { endLine: startLine, endColumn: startColumn }),
    isWarning,
    type: plain(texts.type, most.typeBytes),
    message: plain(texts.message, most.messageBytes),
    snippet: texts.snippet === null ? null : plain(texts.snippet, most.snippetBytes),
  }
}

function toSpoken(line: string): PipelineMessage | null {
  const [, file, startLine, startColumn, severity, message] = spoken.exec(line) ?? []
  if (file === undefined || message === undefined) return null
  const [atLine, atColumn] = [Number(startLine), Number(startColumn)]
  return {
    ...{ startLine: atLine, startColumn: atColumn, endLine: atLine, endColumn: atColumn },
    isWarning: severity === 'warning',
    type: severity === 'warning' ? 'Warning' : 'Error',
    message: plain(`${file}: ${message}`, most.messageBytes),
    snippet: null,
  }
}

/** What PostgreSQL can keep, and a terminal may show. */
function plain(text: string, mostBytes: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const shown = text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ' ')
  return startOfText(shown, mostBytes)
}
