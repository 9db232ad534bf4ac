import type { z } from 'zod'

/** A place in a value where it does not fit its schema. */
export interface Fault {
  path: PropertyKey[]
  /** What would fit, as after "expected": `between 0 and 20`. */
  expected: string
  /** The same as a sentence about the place: `must be between 0 and 20`. */
  rule: string
}

type Issue = z.core.$ZodIssue
type Schema = z.core.$ZodType

/** Each place that does not fit, in words a person can act on. A rule that a schema words itself is told as it is. */
export function faultsOf(schema: Schema, issues: readonly Issue[]): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [faultOf(schema, issue)]
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      expected: 'no such field',
      rule: 'there is no such field',
    }))
  })
}

function faultOf(schema: Schema, issue: Issue): Fault {
  const { path } = issue
  const expected = expectation(schemaAt(schema, path), issue)
  if (expected !== null) return { path, expected, rule: `must be ${expected}` }
  return { path, expected: issue.message, rule: issue.message }
}

/** What would fit, to be read after "must be"; null where the schema says it in a sentence of its own. */
function expectation(schema: Schema | undefined, issue: Issue): string | null {
  switch (issue.code) {
    case 'invalid_type':
      return withBounds(typeWords[issue.expected] ?? `a ${issue.expected}`, schema)
    case 'too_small':
    case 'too_big':
      return /^Too (small|big)/.test(issue.message) ? bounds(schema) : null
    case 'invalid_format':
      return issue.message.startsWith('Invalid') ? formatWords(issue) : issue.message
    case 'invalid_value':
      return oneOf(issue.values.map(String))
    case 'invalid_union':
      return unionWords(schema, issue)
    case 'invalid_key':
      return `a name of ${issue.issues.map(({ message }) => message).join(', ')}`
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    default:
      return null
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function formatWords({ format, pattern }: { format: string; pattern?: string | undefined }): string {
  switch (format) {
    case 'uuid':
      return 'a UUID'
    case 'datetime':
      return 'a time in UTC, such as 2026-11-20T18:07:00.000Z'
    case 'regex':
      return `text that matches ${pattern ?? 'a pattern'}`
    default:
      return `of the form ${format}`
  }
}

function oneOf(values: readonly string[]): string {
  const last = values.at(-1) ?? 'nothing'
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`
}

function unionWords(schema: Schema | undefined, issue: z.core.$ZodIssueInvalidUnion): string | null {
  if (issue.errors.length === 0) {
    const { options } = issue as { options?: unknown[] }
    return options === undefined ? null : oneOf(options.map(String))
  }
  const branches = schema === undefined ? [] : optionsOf(schema)
  const words = issue.errors.map(([first], index) =>
    first === undefined || first.path.length > 0 ? null : expectation(branches[index], first),
  )
  const known = words.filter((word) => word !== null)
  return known.length === 0 ? null : [...new Set(known)].join(', or ')
}

function optionsOf(schema: Schema): readonly Schema[] {
  const { def } = plain(schema)._zod as z.core.$ZodUnionInternals
  return def.type === 'union' ? def.options : []
}

function withBounds(word: string, schema: Schema | undefined): string {
  const isNumber = schema !== undefined && plain(schema)._zod.def.type === 'number'
  const within = isNumber ? boundsOf(schema) : null
  const integer = isNumber && checksOf(schema).some(({ format }) => format === 'safeint')
  const named = integer && word === 'a number' ? 'a whole number' : word
  return within === null ? named : `${named} ${within}`
}

/** `between 0 and 20` for a number; of a text or a list how long it may be. */
function bounds(schema: Schema | undefined): string | null {
  if (schema === undefined) return null
  const within = boundsOf(schema)
  if (within === null) return null
  switch (plain(schema)._zod.def.type) {
    case 'number':
      return within
    case 'string':
      return `text of ${within.replace(/^between (\d+) and/, '$1 to')} characters`
    case 'array':
      return `a list of ${within.replace(/^between (\d+) and/, '$1 to')} items`
    default:
      return null
  }
}

function boundsOf(schema: Schema): string | null {
  const least = boundOf(schema, ['greater_than', 'min_length'])
  const most = boundOf(schema, ['less_than', 'max_length'])
  if (least === null) return most === null ? null : `at most ${most.value}`
  if (most === null) return `${least.isInclusive ? 'at least' : 'more than'} ${least.value}`
  return `between ${least.value} and ${most.value}`
}

interface Check {
  check?: string
  format?: string
  value?: unknown
  minimum?: unknown
  maximum?: unknown
  inclusive?: boolean
}

function checksOf(schema: Schema): Check[] {
  const def = plain(schema)._zod.def as Check & { checks?: z.core.$ZodCheck[] }
  return [def, ...(def.checks ?? []).map((check) => check._zod.def as Check)]
}

function boundOf(schema: Schema, names: readonly string[]): { value: number; isInclusive: boolean } | null {
  const found = checksOf(schema).find(({ check }) => check !== undefined && names.includes(check))
  const value = found?.value ?? found?.minimum ?? found?.maximum
  return typeof value === 'number' ? { value, isInclusive: found?.inclusive !== false } : null
}

/** The schema of the value at a path; undefined where it cannot be told. */
function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  const [key, ...rest] = path
  const here = plain(schema)
  if (key === undefined) return here
  const def = (here as z.core.$ZodTypes)._zod.def
  switch (def.type) {
    case 'object': {
      const inner = def.shape[String(key)] ?? def.catchall
      // A strict object has no field but its own: another of a union may have it.
      const isNone = (inner as z.core.$ZodTypes | undefined)?._zod.def.type === 'never'
      return inner === undefined || isNone ? undefined : schemaAt(inner, rest)
    }
    case 'array':
      return schemaAt(def.element, rest)
    case 'record':
      return schemaAt(def.valueType, rest)
    case 'union':
      return def.options.map((option) => schemaAt(option, path)).find((found) => found !== undefined)
    default:
      return undefined
  }
}

/** Without what only says that it may be absent, or null, or is read otherwise than it is written. */
function plain(schema: Schema): Schema {
  const def = (schema as z.core.$ZodTypes)._zod.def
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return plain(def.innerType)
    case 'pipe':
      return plain(def.in)
    case 'lazy':
      return plain(def.getter())
    default:
      return schema
  }
}
