import type { Operation } from './operations.ts'
import type { Random } from './random.ts'
import { junk, spoiled, valueFor } from './values.ts'

export interface FuzzRequest {
  operation: Operation
  method: string
  path: string
  headers: Record<string, string>
  body: string | undefined
}

const bodies = [
  '',
  '{',
  '[]',
  '"text"',
  'null',
  '[[[[',
  `${'['.repeat(40_000)}`,
  '{"a":1,"a":2}',
  '\ufeff{}',
  '{"__proto__":{"a":1}}',
]
const headerTexts = ['', '"1"', '1', 'W/"2"', '*', '"99999999999"', 'x'.repeat(300), 'caf\u00e9']
/** Values of `waitSeconds`: short or invalid ones, since a wait of a minute would look like a hang. */
const waits = ['0', '1', '61', '-1', 'x']

/** A random request: three in ten are valid according to the document; in the others something is spoiled. */
export function requestFor(
  operations: readonly Operation[],
  random: Random,
  tokens: readonly string[],
  ids: readonly string[],
): FuzzRequest {
  const operation = random.pick(operations)
  const isSpoiled = random.chance(0.7)
  const query = new URLSearchParams()
  let path = operation.path
  const headers: Record<string, string> = { Authorization: `Bearer ${random.pick(tokens)}` }
  for (const { name, in: place, schema } of operation.parameters) {
    const odd = isSpoiled && random.chance(0.3)
    const value = odd ? text(random.pick(junk)) : text(valueFor(schema, random, operation.components, ids))
    if (place === 'path') path = path.replace(`{${name}}`, encode(value === '' ? '%' : value))
    if (place === 'query' && random.chance(0.5))
      query.append(name, name === 'waitSeconds' ? random.pick(waits) : value)
    if (place === 'header' && random.chance(0.2)) headers[name] = random.pick(headerTexts)
  }
  if (isSpoiled && random.chance(0.1)) query.append('odd', '1')
  const body = bodyFor(operation, random, ids, isSpoiled)
  if (body !== undefined)
    headers['Content-Type'] = isSpoiled && random.chance(0.1) ? 'text/odd' : 'application/json'
  const suffix = query.size === 0 ? '' : `?${query}`
  return { operation, method: operation.method, path: path + suffix, headers, body }
}

function bodyFor(
  { body, components }: Operation,
  random: Random,
  ids: readonly string[],
  isSpoiled: boolean,
) {
  if (body === null) return undefined
  if (isSpoiled && random.chance(0.2)) return random.pick(bodies)
  const value = valueFor(body, random, components, ids)
  return JSON.stringify(isSpoiled && random.chance(0.7) ? spoiled(value, random) : value)
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

function encode(value: string): string {
  const written = value.isWellFormed() ? encodeURIComponent(value) : '%ed%a0%80'
  // HTTP clients remove these from a path themselves.
  return written === '.' || written === '..' ? '%2e%2e%00' : written
}
