import type { Components, Schema } from './operations.ts'
import type { Random } from './random.ts'

/** Values that often cause trouble in programs. */
export const junk: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  -1,
  0,
  1.5,
  1e99,
  2_147_483_648,
  Number.MAX_SAFE_INTEGER,
  [],
  {},
  [[]],
  '\u0000',
  '\ud800',
  '😀'.repeat(40),
  'x'.repeat(5_000),
  "'; DROP TABLE projects; --",
  '../../etc/passwd',
  'a b\r\nX-Odd: 1',
  '\u001b]0;odd\u0007',
  '$(reboot)',
  '*',
  '>',
  '..',
  '__proto__',
  'https://bob:password@git.example.invalid/x.git',
  '9999-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00Z',
  '2000-02-30T00:00:00Z',
]

/** Texts that fit some pattern in the document. */
const texts = [
  'shop',
  'small',
  'default',
  'PATH',
  'main',
  'a',
  'web-2',
  'file:///srv/shop.git',
  'make',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmVrZ3T1m0lyVw1bW3b8a1pW5r5kJb2cX0o1mB7m3aF',
  `${'A'.repeat(43)}=`,
]

/** A value that fits the schema, or nearly. */
export function valueFor(
  schema: Schema,
  random: Random,
  components: Components,
  ids: readonly string[],
): unknown {
  const inner = (of: Schema) => valueFor(of, random, components, ids)
  if (schema.$ref !== undefined) {
    return inner(components.schemas?.[schema.$ref.split('/').at(-1) ?? ''] ?? {})
  }
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return random.pick(schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return inner(random.pick(choices))
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map(inner)) as unknown
  switch (Array.isArray(schema.type) ? random.pick(schema.type) : schema.type) {
    case 'object':
      return objectFor(schema, random, inner)
    case 'array':
      return Array.from({ length: random.below(3) }, () => inner(schema.items ?? {}))
    case 'integer':
    case 'number':
      return numberFor(schema, random)
    case 'boolean':
      return random.chance(0.5)
    case 'null':
      return null
    case 'string':
      return textFor(schema, random, ids)
    default:
      return random.pick(junk)
  }
}

function objectFor(schema: Schema, random: Random, inner: (of: Schema) => unknown): object {
  const { properties = {}, required = [], additionalProperties } = schema
  const given = Object.entries(properties).filter(([name]) => required.includes(name) || random.chance(0.5))
  const made = given.map(([name, of]) => [name, inner(of)] as const)
  if (typeof additionalProperties === 'object' && random.chance(0.5))
    made.push([random.pick(['TOKEN', 'a', 'team']), inner(additionalProperties)])
  return Object.fromEntries(made)
}

function numberFor({ minimum, maximum }: Schema, random: Random): number {
  const least = Math.max(minimum ?? 0, -1_000)
  return random.pick([least, least + 1, Math.min(maximum ?? 1_000, least + random.below(1_000))])
}

function textFor({ format, pattern }: Schema, random: Random, ids: readonly string[]): string {
  if (format === 'uuid') return random.pick(ids)
  if (format === 'date-time') return '2100-01-01T00:00:00Z'
  if (pattern !== undefined) {
    const fitting = texts.filter((text) => new RegExp(pattern, 'u').test(text))
    if (fitting.length > 0) return random.pick(fitting)
  }
  return random.chance(0.3) ? `n${random.below(100_000)}` : random.pick(texts)
}

/** The value with some part replaced by junk, left out or added. */
export function spoiled(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.2)) return random.pick(junk)
  if (Array.isArray(value))
    return value.length === 0
      ? [random.pick(junk)]
      : value.map((one) => (random.chance(0.5) ? spoiled(one, random) : (one as unknown)))
  const entries = Object.entries(value)
  if (entries.length === 0 || random.chance(0.2))
    return { ...value, [`odd${random.below(3)}`]: random.pick(junk) }
  const [name, inner] = random.pick(entries)
  if (random.chance(0.2)) return Object.fromEntries(entries.filter(([other]) => other !== name))
  return { ...value, [name]: spoiled(inner, random) }
}
