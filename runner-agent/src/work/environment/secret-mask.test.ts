import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesPerTurn, SecretAutomaton } from '../secret-automaton.ts'
import { SecretMask, secretAutomaton } from './secret-mask.ts'

async function masked(secrets: string[], chunks: readonly (string | Buffer)[]): Promise<string> {
  const mask = new SecretMask(await secretAutomaton(secrets))
  return chunks.map((chunk) => mask.push(Buffer.from(chunk))).join('') + mask.end()
}

test('a value is replaced wherever the stream is cut', async () => {
  const text = 'token=s3cr3t-value; again s3cr3t-value.'
  for (let cut = 0; cut <= text.length; cut += 1) {
    expect(await masked(['s3cr3t-value'], [text.slice(0, cut), text.slice(cut)])).toBe(
      'token=***; again ***.',
    )
  }
})

test('overlapping values are replaced together, and adjacent ones one by one', async () => {
  expect(await masked(['abcd', 'cdef'], ['xabc', 'defx'])).toBe('x***x')
  expect(await masked(['aaaa'], ['aaaa', 'aaa', 'ab'])).toBe('***b')
  expect(await masked(['abcd', 'efgh'], ['abcdef', 'gh'])).toBe('******')
})

test('of values with the same beginning the longest is replaced', async () => {
  expect(await masked(['abcd', 'abcdef'], ['xabc', 'def abcd', 'eg'])).toBe('x*** ***eg')
})

test('values of fewer than 4 characters are left', async () => {
  expect(await masked(['abc', ''], ['abc'])).toBe('abc')
})

test('long lines of a value are masked on their own too', async () => {
  expect(await masked(['-----BEGIN-----\nAAAABBBB\n'], ['1: -----BEGIN-----\n2: AAAABBBB\n'])).toBe(
    '1: ***\n2: ***\n',
  )
})

test('characters beyond ASCII are masked and kept, also when cut in the middle', async () => {
  const bytes = Buffer.from('grüße passwörtchen 漢字')
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(await masked(['passwörtchen'], [bytes.subarray(0, cut), bytes.subarray(cut)])).toBe(
      'grüße *** 漢字',
    )
  }
})

test('NUL, which databases refuse, is replaced', async () => {
  expect(await masked([], ['a\0b'])).toBe('a\uFFFDb')
})

test('whatever the text, the secrets and the cuts: the same result, without a secret', async () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '\n'), maxLength: 40 })
  const secret = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 4, maxLength: 7 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(secret, { maxLength: 3 }),
      letters,
      fc.array(fc.nat(40)),
      async (secrets, text, cuts) => {
        const bytes = Buffer.from(text)
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
        const result = await masked(secrets, chunks)
        expect(result).toBe(await masked(secrets, [bytes]))
        for (const each of secrets) expect(result).not.toContain(each)
      },
    ),
    { numRuns: 500 },
  )
})

/** Each further byte costs a few table look-ups; the text held back is never longer than the longest value. */
const worst: [name: string, secrets: string[], text: string][] = [
  ['values that all begin alike', letters(7).map((end) => `${'a'.repeat(65_535)}${end}`), 'a'],
  ['the beginning of a value again and again', [`${'a'.repeat(65_535)}b`], 'a'],
  ['as many short values as fit', letters(256).map((end) => `secret ${end}`), 'secret '],
  ['a value of many lines', [letters(5_000).join('secret\n')], 'secret\n'],
  ['a value in a value', Array.from({ length: 256 }, (_, length) => 'ab'.repeat(length + 2)), 'ab'],
]

function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `x${index.toString(36)}`)
}

test.each(worst)('%s: a byte costs at most two steps on average', async (_, secrets, text) => {
  const automaton = await secretAutomaton(secrets)
  const given = Buffer.from(text.repeat(Math.ceil(262_144 / text.length)))
  let steps = 0
  const counting = Object.create(automaton) as SecretAutomaton
  Object.defineProperty(counting, 'fallback', {
    get: () => {
      steps += 1
      return (automaton as unknown as { fallback: Int32Array }).fallback
    },
  })
  const mask = new SecretMask(counting)
  for (let at = 0; at < given.length; at += 32_768) mask.push(given.subarray(at, at + 32_768))
  mask.end()
  expect(steps).toBeLessThanOrEqual(given.length)
})

test('the largest set of secrets is prepared in slices, between which other work runs', async () => {
  const values = Array.from({ length: 8 }, (_, index) => Buffer.alloc(65_536, `${index} secret `))
  let turns = 0
  await SecretAutomaton.build(values, async () => {
    turns += 1
  })
  expect(turns).toBe((8 * 65_536) / bytesPerTurn)
})

test('the machines of one project share the search table for its secrets', async () => {
  expect(await secretAutomaton(['one secret', 'another'])).toBe(
    await secretAutomaton(['another', 'one secret']),
  )
})
