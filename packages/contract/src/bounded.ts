import { z } from 'zod'

/** The largest number of a PostgreSQL `integer` column. */
export const largestInteger = 2_147_483_647

/** A count, a version or a size that is stored in an `integer` column. */
export const countSchema = z.int().min(0).max(largestInteger)
/** The same without zero: an epoch, a generation, a sequence of an `integer` column. */
export const positiveSchema = z.int().min(1).max(largestInteger)

const byteLength = (text: string) => new TextEncoder().encode(text).byteLength

/** Text of at most so many bytes of UTF-8 that PostgreSQL can store: no NUL, no half of a surrogate pair. */
export function boundedText(mostBytes: number, leastBytes = 0) {
  return (
    z
      .string()
      // A string has at least as many bytes as UTF-16 units: what is far too long is refused before it is encoded.
      .max(mostBytes, `at most ${mostBytes} bytes`)
      .refine((text) => byteLength(text) <= mostBytes, `at most ${mostBytes} bytes`)
      .refine((text) => text.length >= leastBytes, `at least ${leastBytes} characters`)
      .refine(isStorable, 'text without NUL characters and unpaired surrogates')
  )
}

/** The same on one line: no control character at all, so that it can stand in a file, a log line or a terminal. */
export function boundedLine(mostBytes: number, leastBytes = 0) {
  return boundedText(mostBytes, leastBytes).refine(isOneLine, 'one line without control characters')
}

/** The start of a text with at most so many bytes of UTF-8; no character is cut in two. */
export function startOfText(text: string, mostBytes: number): string {
  const bytes = new TextEncoder().encode(text)
  if (bytes.byteLength <= mostBytes) return text
  let end = mostBytes
  while (end > 0 && isContinuation(bytes[end])) end -= 1
  return new TextDecoder().decode(bytes.subarray(0, end))
}

/** The end of a text with at most so many bytes of UTF-8; no character is cut in two. */
export function endOfText(text: string, mostBytes: number): string {
  const bytes = new TextEncoder().encode(text)
  if (bytes.byteLength <= mostBytes) return text
  let start = bytes.byteLength - mostBytes
  while (start < bytes.byteLength && isContinuation(bytes[start])) start += 1
  return new TextDecoder().decode(bytes.subarray(start))
}

/** Whether PostgreSQL can keep the text. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Unicode's control characters (C0, DEL, C1), line and paragraph separators, and marks that turn the direction of text. */
export const controlCharacters =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/

function isOneLine(text: string): boolean {
  return !controlCharacters.test(text)
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80
