import { quote } from '../../secure-shell/quote.ts'
import { wholeNumber } from './step-outcome.ts'

const mostBytes = 64 * 1024

/** What the reader of so many files may print. */
export const mostPrintedBytes = (files: number) => files * (mostBytes + 16)

/**
 * The bash program that prints each file as its length in bytes, a line end and its text; one that is not there as an
 * empty one. Builtins alone: an emulated guest pays for every process.
 */
export function buildReader(paths: readonly string[]): string {
  const reads = paths.map(
    (path) =>
      `text=; [ -f ${quote(path)} ] && IFS= read -r -d '' -N ${mostBytes + 1} text <${quote(path)}; ` +
      `printf '%s\\n%s' "\${#text}" "$text"`,
  )
  return ['LC_ALL=C', ...reads, ':'].join('\n')
}

/** What the reader printed: the text of each file, null where there is none or it is over 64 KiB. */
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
