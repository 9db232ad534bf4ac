import type { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { validate } from './validation.ts'

const schema = z.strictObject({
  targetSize: z.int().min(0).max(20),
  secrets: z.record(z.string(), z.string().max(4)).default({}),
  address: z.string().max(10).default(''),
})

function refusal(value: unknown): HearthError {
  try {
    validate(schema, value, 'body')
  } catch (error) {
    return error as HearthError
  }
  throw new Error('it was taken')
}

test('a refusal says what the value must be, and what was given', () => {
  expect(refusal({ targetSize: -3 })).toMatchObject({
    code: 'invalid',
    message: 'body.targetSize: must be between 0 and 20, got -3',
    details: [{ field: 'body.targetSize', given: '-3', expected: 'between 0 and 20' }],
  })
  expect(refusal({}).message).toBe('body.targetSize: must be a whole number between 0 and 20, got nothing')
  expect(refusal(7).message).toBe('body: must be an object, got 7')
})

test('neither a secret nor a password in an address is repeated', () => {
  const { message, details } = refusal({ targetSize: 1, secrets: { TOKEN: 'hunter2' } })
  expect(message).toBe('body.secrets.TOKEN: must be text of at most 4 characters')
  expect(JSON.stringify(details)).not.toContain('hunter2')
  const address = refusal({ targetSize: 1, address: 'https://me:hunter2@example.org' })
  expect(JSON.stringify([address.message, address.details])).not.toContain('hunter2')
  expect(address.message).toContain('got "https://***@example.org"')
})

test('a message names three of many errors, each shortened to a readable length', () => {
  const unknown = Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [`field${at}`, 'x'.repeat(10_000)]),
  )
  const { message, details, facts } = refusal({ targetSize: 1, ...unknown })
  expect(message).toMatch(/^body\.field0: there is no such field, got "x+…; .*; and 27 more$/)
  expect(message.length).toBeLessThan(1_000)
  expect([details.length, facts.faults]).toEqual([20, 30])
})

test('a name that no record can have is refused, and not left out in silence', () => {
  const body: unknown = JSON.parse('{"targetSize": 1, "secrets": {"__proto__": "hunt"}}')
  const { code, message, details } = refusal(body)
  expect({ code, field: details[0]?.field }).toEqual({ code: 'invalid', field: 'body.secrets.__proto__' })
  expect(message).not.toContain('hunt')
})
