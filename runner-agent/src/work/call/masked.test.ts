import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SecretMask, secretAutomaton } from '../environment/secret-mask.ts'
import { masked } from './masked.ts'

test('secrets are masked as in the logs of tasks', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), minLength: 4, maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 4 }), text, async (secrets, printed) => {
      const automaton = await secretAutomaton(secrets)
      const mask = new SecretMask(automaton)
      const asInLogs = mask.push(Buffer.from(printed)) + mask.end()
      expect((await masked(Buffer.from(printed), automaton)).toString()).toBe(asInLogs)
    }),
  )
})

test('bytes that are no text stay what they are', async () => {
  const automaton = await secretAutomaton(['s3cret'])
  const bytes = Buffer.from([0, 255, 0, ...Buffer.from('s3cret'), 0, 254])
  expect(await masked(bytes, automaton)).toEqual(Buffer.from([0, 255, 0, 42, 42, 42, 0, 254]))
})
