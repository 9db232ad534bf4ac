import fc from 'fast-check'
import { expect, test } from 'vitest'
import { storableText } from './storable-text.ts'

test('NUL and lone surrogates are replaced, wherever they are', () => {
  expect(storableText({ steps: [{ output: 'a\0b\ud800c' }] })).toEqual({
    steps: [{ output: 'a\uFFFDb\uFFFDc' }],
  })
})

test('text that can be stored is unchanged', () => {
  const keepable = fc.jsonValue().filter((value) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value)))
  fc.assert(
    fc.property(keepable, (value) => {
      expect(storableText(value)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
