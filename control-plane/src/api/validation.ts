import { type Fault, faultsOf, startOfText } from '@hearth/contract'
import { type ErrorDetail, HearthError, invalidValue } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import { isHidden, shownValue } from './shown-value.ts'

type Part = 'path' | 'query' | 'body' | 'header'

/** Most faults of one request that are listed; the rest are only counted. */
export const mostFaults = 20
/** Most faults in the message itself, and most characters of what each expects. */
const mostInMessage = 3
const mostRuleBytes = 200
const mostFieldBytes = 200
const mostExpectedBytes = 500

/**
 * The value as parsed by its schema. Throws `invalid` with the first invalid fields: path, what is expected, and what
 * was given.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: Part,
): z.output<Schema> {
  const unfit = unfitText(value, [])
  if (unfit !== null) {
    const { path, expected } = unfit
    throw invalidValue({ field: fieldOf(part, path), given: shownValue(at(value, path), path), expected })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = faultsOf(schema, parsed.error.issues)
  const described = faults.slice(0, mostFaults).map((fault) => describeFault(fault, value, part))
  const sentences = described.slice(0, mostInMessage).map(({ sentence }) => sentence)
  const others = faults.length - sentences.length
  const message = [...sentences, ...(others > 0 ? [`and ${others} more`] : [])].join('; ')
  throw new HearthError('invalid', message, {
    details: described.map(({ detail }) => detail),
    facts: { faults: faults.length },
  })
}

/** `body.spec.min: must be between 0 and 1000, got -3` */
function describeFault(fault: Fault, value: unknown, part: Part): { detail: ErrorDetail; sentence: string } {
  const path = fault.path.map(String)
  const field = fieldOf(part, path)
  const given = shownValue(at(value, path), path)
  const expected = startOfText(fault.expected, mostExpectedBytes)
  const got = isHidden(path) ? '' : `, got ${given}`
  return {
    detail: { field, given, expected },
    sentence: `${field}: ${startOfText(fault.rule, mostRuleBytes)}${got}`,
  }
}

interface Unfit {
  path: readonly string[]
  expected: string
}

const storable = 'text without NUL characters and unpaired surrogates'

/**
 * The first text that PostgreSQL cannot store, with NUL or half of a surrogate pair; or that no record can have as a name, and
 * would be left out of it in silence.
 */
function unfitText(value: unknown, path: readonly string[]): Unfit | null {
  if (typeof value === 'string') return isStorable(value) ? null : { path, expected: storable }
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    if (!isStorable(key)) return { path, expected: storable }
    if (key === '__proto__') return { path: [...path, key], expected: 'left out: nothing can have this name' }
    if (typeof inner === 'number' || typeof inner === 'boolean') continue
    const fault = unfitText(inner, [...path, key])
    if (fault !== null) return fault
  }
  return null
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes('\u0000')

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
