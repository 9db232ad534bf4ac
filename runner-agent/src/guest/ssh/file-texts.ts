import { quote } from '../../secure-shell/quote.ts'
import { wholeNumber } from './step-outcome.ts'

const mostBytes = 64 * 1024

/** Upper bound, in bytes, of what the reader prints for this number of files. */
export const mostPrintedBytes = (files: number) => files * (mostBytes + 16)

/**
 * The bash program that prints each file as its length in bytes, a newline and its text; a missing file is printed as
 * an empty one. It uses builtins only: every process is expensive in an emulated guest.
 */
export function buildReader(paths: readonly string[]): string {
  const reads = paths.map(
    (path) =>
      `text=; [ -f ${quote(path)} ] && IFS= read -r -d '' -N ${mostBytes + 1} text <${quote(path)}; ` +
      `printf '%s\\n%s' "\${#text}" "$text"`,
  )
  return ['LC_ALL=C', ...reads, ':'].join('\n')
}

/** Parses the reader's output: the text of each file, or null where the file is missing or larger than 64 KiB. */
export function parseTexts(printed: Buffer): (string | null)[] {
  const texts: (string | null)[] = []
  for (let at = 0; at < printed.length; ) {
    const start = printed.indexOf(0x0a, at) + 1
    if (start === 0) return texts
    const length = wholeNumber(printed.toString('latin1', at, Math.min(start - 1, at + 16)), mostBytes + 1)
    if (length === null) return texts
    at = start + length
    if (at > printed.length) return texts
    texts.push(length === 0 || length > mostBytes ? null : printed.toString('utf8', start, at))
  }
  return texts
}
