import { expect, test } from 'vitest'
import { z } from 'zod'
import { faultsOf } from './faults.ts'

const schema = z.strictObject({
  size: z.int().min(0).max(20).optional(),
  least: z.number().min(1).nullable(),
  above: z.int().positive(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z]+$/, 'lower-case letters'),
  tags: z.array(z.string().max(5)).max(2),
  fallback: z.enum(['cold', 'refuse']),
  start: z.union([z.enum(['oldest', 'new']), z.int().positive()]),
  id: z.uuid(),
  at: z.iso.datetime(),
  enabled: z.boolean(),
  labels: z.record(z.string().max(3), z.string().max(4)),
  inner: z.object({ deep: z.int().max(9) }).refine(() => false, 'give one of both'),
})
const good = {
  least: 1,
  above: 1,
  name: 'a',
  tags: [],
  fallback: 'cold',
  start: 'new',
  id: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  at: '2026-11-20T18:07:00Z',
  enabled: true,
  labels: {},
}

test.each([
  [{ size: -3 }, 'size', 'must be between 0 and 20'],
  [{ size: 21 }, 'size', 'must be between 0 and 20'],
  [{ size: 1.5 }, 'size', 'must be a whole number between 0 and 20'],
  [{ size: 'x' }, 'size', 'must be a whole number between 0 and 20'],
  [{ least: 0 }, 'least', 'must be at least 1'],
  [{ above: 0 }, 'above', 'must be more than 0'],
  [{ limit: 'many' }, 'limit', 'must be a whole number between 1 and 500'],
  [{ name: '' }, 'name', 'must be text of 1 to 63 characters'],
  [{ name: 'A' }, 'name', 'must be lower-case letters'],
  [{ name: undefined }, 'name', 'must be text'],
  [{ tags: ['a', 'b', 'c'] }, 'tags', 'must be a list of at most 2 items'],
  [{ tags: ['longer'] }, 'tags.0', 'must be text of at most 5 characters'],
  [{ fallback: 'warm' }, 'fallback', 'must be cold or refuse'],
  [{ start: true }, 'start', 'must be oldest or new, or a whole number more than 0'],
  [{ id: 'x' }, 'id', 'must be a UUID'],
  [{ at: 'x' }, 'at', 'must be a time in UTC, such as 2026-11-20T18:07:00.000Z'],
  [{ enabled: 1 }, 'enabled', 'must be true or false'],
  [{ labels: { a: 'longer' } }, 'labels.a', 'must be text of at most 4 characters'],
  [{ inner: { deep: 10 } }, 'inner.deep', 'must be at most 9'],
  [{ inner: { deep: 1 } }, 'inner', 'give one of both'],
  [{ sise: 1 }, 'sise', 'there is no such field'],
])('%j', (change, field, rule) => {
  const value = { ...good, inner: { deep: 1 }, ...change }
  const { error } = schema.safeParse(value)
  const faults = faultsOf(schema, error?.issues ?? [])
  expect(faults.map(({ path, rule: told }) => [path.join('.'), told])).toContainEqual([field, rule])
})
