import { type ErrorDetail, HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'

type Part = 'path' | 'query' | 'body' | 'header'

/** The value as its schema reads it, or `invalid` with every field that does not fit: what was given, what would. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: Part,
): z.output<Schema> {
  const unstorable = unstorableText(value, part)
  if (unstorable !== null) {
    throw new HearthError('invalid', `the ${part} does not fit: ${unstorable.field}`, {
      details: [unstorable],
    })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const details = parsed.error.issues.flatMap((issue) => detailsOf(issue, value, part))
  const fields = details.map(({ field }) => field).join(', ')
  throw new HearthError('invalid', `the ${part} does not fit: ${fields}`, { details })
}

/** PostgreSQL stores no NUL and no half of a surrogate pair, wherever in a document they stand. */
function unstorableText(value: unknown, field: string): ErrorDetail | null {
  if (typeof value === 'string') {
    if (value.isWellFormed() && !value.includes('\u0000')) return null
    return { field, given: shorten(value), expected: 'text without NUL characters and unpaired surrogates' }
  }
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    const fault = unstorableText(key, field) ?? unstorableText(inner, `${field}.${key}`)
    if (fault !== null) return fault
  }
  return null
}

function detailsOf(issue: z.core.$ZodIssue, value: unknown, part: Part): ErrorDetail[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [part, ...path, key].join('.'),
      given: shorten(at(value, [...path, key])),
      expected: 'no such field',
    }))
  }
  return [{ field: [part, ...path].join('.'), given: shorten(at(value, path)), expected: issue.message }]
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  )
}

function shorten(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
