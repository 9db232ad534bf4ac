import { expect, test } from 'vitest'
import { projectCreateSchema, projectUpdateSchema } from './project.ts'
import { secretsSchema } from './secrets.ts'

const named = (count: number, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`SECRET_${index}`, value]))

const refused: [what: string, secrets: Record<string, string>, message: string][] = [
  ['21,000 short values', named(21_000, 'xQ1z'), 'at most 256 secrets, these are 21000'],
  ['one value of more than 64 KiB', { KEY: 'x'.repeat(65_537) }, 'at most 65536 bytes'],
  ['64 KiB of letters of two bytes each', { KEY: 'ü'.repeat(65_536) }, 'at most 65536 bytes'],
  ['nine values of 64 KiB', named(9, 'x'.repeat(65_536)), 'at most 524288 bytes together, these have 5898'],
  ['a value that no shell can hold', { KEY: 'a\0b' }, 'without NUL characters'],
]
test.each(refused)('%s are refused, with the limit', (_, secrets, message) => {
  const faults = [
    secretsSchema.safeParse(secrets),
    projectCreateSchema.safeParse({ name: 'shop', spec: { secrets } }),
    projectUpdateSchema.safeParse({ spec: { secrets } }),
  ]
  for (const { error } of faults) expect(error?.message).toContain(message)
})

test('the largest allowed secrets are accepted', () => {
  expect(secretsSchema.safeParse(named(256, 'x'.repeat(2_000))).success).toBe(true)
  expect(secretsSchema.safeParse(named(7, 'x'.repeat(65_536))).success).toBe(true)
})
