import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SecretMask } from './secret-mask.ts'

function masked(secrets: string[], chunks: readonly (string | Buffer)[]): string {
  const mask = new SecretMask(secrets)
  return chunks.map((chunk) => mask.push(Buffer.from(chunk))).join('') + mask.end()
}

test('a value is replaced wherever the stream is cut', () => {
  const text = 'token=s3cr3t-value; again s3cr3t-value.'
  for (let cut = 0; cut <= text.length; cut += 1) {
    expect(masked(['s3cr3t-value'], [text.slice(0, cut), text.slice(cut)])).toBe('token=***; again ***.')
  }
})

test('of values that begin alike the longest is replaced', () => {
  expect(masked(['abcd', 'abcdef'], ['xabc', 'def abcd', 'eg'])).toBe('x*** ***eg')
})

test('values of fewer than 4 characters are left', () => {
  expect(masked(['abc', ''], ['abc'])).toBe('abc')
})

test('long lines of a value are replaced by themselves too', () => {
  expect(masked(['-----BEGIN-----\nAAAABBBB\n'], ['1: -----BEGIN-----\n2: AAAABBBB\n'])).toBe(
    '1: ***\n2: ***\n',
  )
})

test('characters beyond ASCII are masked and kept, also when cut in the middle', () => {
  const bytes = Buffer.from('grüße passwörtchen 漢字')
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(masked(['passwörtchen'], [bytes.subarray(0, cut), bytes.subarray(cut)])).toBe('grüße *** 漢字')
  }
})

test('NUL, which databases refuse, is replaced', () => {
  expect(masked([], ['a\0b'])).toBe('a\uFFFDb')
})

test('whatever the text, the secrets and the cuts: the same result, without a secret', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '\n'), maxLength: 40 })
  const secret = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 4, maxLength: 7 })
  fc.assert(
    fc.property(fc.array(secret, { maxLength: 3 }), letters, fc.array(fc.nat(40)), (secrets, text, cuts) => {
      const bytes = Buffer.from(text)
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
      const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
      const result = masked(secrets, chunks)
      expect(result).toBe(masked(secrets, [bytes]))
      for (const each of secrets) expect(result).not.toContain(each)
    }),
    { numRuns: 500 },
  )
})
