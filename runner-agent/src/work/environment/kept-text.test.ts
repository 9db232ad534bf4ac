import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeptText } from './kept-text.ts'

function kept(pieces: readonly string[]): KeptText {
  const text = new KeptText()
  for (const piece of pieces) text.add(piece)
  return text
}

const leftOut = /\n\[\.\.\. (\d+) bytes left out here; the whole is in the log \.\.\.\]\n/

test('a small text is kept whole', () => {
  expect(kept(['one\n', 'two\n']).shown).toBe('one\ntwo\n')
  expect(kept(['x'.repeat(4_096)]).shown).toBe('x'.repeat(4_096))
  expect(kept([]).shown).toBe('')
})

test('of a large text both ends are kept, in whole characters, with the size of what is missing', () => {
  const letters = fc.constantFrom('a', 'ü', '漢', '😀')
  fc.assert(
    fc.property(
      letters,
      fc.integer({ min: 4_097, max: 20_000 }),
      fc.integer({ min: 1, max: 5_000 }),
      (letter, count, size) => {
        const whole = letter.repeat(count)
        const characters = [...whole]
        const pieces: string[] = []
        for (let at = 0; at < characters.length; at += size)
          pieces.push(characters.slice(at, at + size).join(''))
        const text = kept(pieces)
        const [head = '', missing = '', tail = ''] = text.shown.split(leftOut)
        expect(head.replaceAll(letter, '') + tail.replaceAll(letter, '')).toBe('')
        expect(Buffer.byteLength(head)).toBeGreaterThan(1_020)
        expect(Buffer.byteLength(tail)).toBeGreaterThan(3_060)
        expect(Buffer.byteLength(head) + Number(missing) + Buffer.byteLength(tail)).toBe(
          Buffer.byteLength(whole),
        )
        expect(text.bytes).toBe(Buffer.byteLength(whole))
      },
    ),
    { numRuns: 40 },
  )
})
