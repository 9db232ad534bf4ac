import { HearthError } from '@hearth/foundation'

/** The largest valid request, a project at its bounds, has about 10,000 values, seven levels deep. */
export const jsonLimits = { depth: 32, values: 20_000 } as const

const quote = 0x22
const backslash = 0x5c
const opening = new Set([0x5b, 0x7b])
const closing = new Set([0x5d, 0x7d])
const comma = 0x2c

/**
 * Parses a body; an empty body is an empty object. Refuses one that is too deep or has too many values before parsing
 * it.
 */
export function parseJson(text: string): unknown {
  if (text.trim() === '') return {}
  const { depth, values } = measure(text)
  if (depth > jsonLimits.depth)
    throw refused(`${depth} levels`, `a JSON value of at most ${jsonLimits.depth} levels`)
  if (values > jsonLimits.values)
    throw refused(`${values} values`, `a JSON value with at most ${jsonLimits.values} values and fields`)
  try {
    return JSON.parse(text)
  } catch (error) {
    // Neither the body nor the parser's message, which quotes it, may be shown: there may be a secret in it.
    throw refused(`${text.length} characters that are not JSON`, 'a JSON object', error)
  }
}

function refused(given: string, expected: string, cause?: unknown): HearthError {
  return new HearthError('invalid', `body: must be ${expected}, got ${given}`, {
    details: [{ field: 'body', given, expected }],
    cause,
  })
}

/** The nesting depth and the number of values, counted in one pass without recursion. */
function measure(text: string): { depth: number; values: number } {
  let level = 0
  let depth = 0
  let values = 1
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at)
    else if (code === comma) values += 1
    else if (opening.has(code)) {
      level += 1
      values += 1
      if (level > depth) depth = level
    } else if (closing.has(code)) level -= 1
  }
  return { depth, values }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at)
    if (at < 0) return text.length
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes += 1
    if (escapes % 2 === 0) return at
  }
}
