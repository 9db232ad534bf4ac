import { startOfText } from '@hearth/contract'
import { type ErrorDetail, HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import { shownValue } from './shown-value.ts'

type Part = 'path' | 'query' | 'body' | 'header'

/** How many faults of one request are told; of the others their number. */
export const mostFaults = 20
const mostFieldBytes = 200
const mostExpectedBytes = 500

/** The value as its schema reads it, or `invalid` with the first fields that do not fit: what was given, what would. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: Part,
): z.output<Schema> {
  const unstorable = unstorableText(value, [])
  if (unstorable !== null) {
    throw doesNotFit(part, [
      {
        field: fieldOf(part, unstorable),
        given: shownValue(at(value, unstorable), unstorable),
        expected: 'text without NUL characters and unpaired surrogates',
      },
    ])
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.flatMap(placesOf)
  const details = faults.slice(0, mostFaults).map(({ path, expected }) => ({
    field: fieldOf(part, path),
    given: shownValue(at(value, path), path),
    expected: startOfText(expected, mostExpectedBytes),
  }))
  throw doesNotFit(part, details, faults.length)
}

function doesNotFit(part: Part, details: ErrorDetail[], faults = details.length): HearthError {
  const fields = details.map(({ field }) => field).join(', ')
  const others = faults > details.length ? ` and ${faults - details.length} more` : ''
  return new HearthError('invalid', `the ${part} does not fit: ${fields}${others}`, {
    details,
    facts: { faults },
  })
}

/** Where PostgreSQL could not keep a text: it stores no NUL and no half of a surrogate pair. */
function unstorableText(value: unknown, path: readonly string[]): readonly string[] | null {
  if (typeof value === 'string') return isStorable(value) ? null : path
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    if (!isStorable(key)) return path
    if (typeof inner === 'number' || typeof inner === 'boolean') continue
    const fault = unstorableText(inner, [...path, key])
    if (fault !== null) return fault
  }
  return null
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes('\u0000')

function placesOf(issue: z.core.$ZodIssue): { path: string[]; expected: string }[] {
  const path = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') return [{ path, expected: issue.message }]
  return issue.keys.map((key) => ({ path: [...path, key], expected: 'no such field' }))
}

function fieldOf(part: Part, path: readonly string[]): string {
  return startOfText([part, ...path].join('.'), mostFieldBytes)
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  )
}
