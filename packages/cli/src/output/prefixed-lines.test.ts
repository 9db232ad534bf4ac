import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PrefixedLines } from './prefixed-lines.ts'

test('each line has the prefix once, however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z\n]{0,8}$/)), (pieces) => {
      const lines = new PrefixedLines('web | ')
      const told = pieces.map((piece) => lines.add(piece)).join('') + lines.rest()
      const whole = pieces.join('')
      const expected = whole === '' ? [] : (whole.endsWith('\n') ? whole.slice(0, -1) : whole).split('\n')
      expect(told).toBe(expected.map((line) => `web | ${line}\n`).join(''))
    }),
  )
})
