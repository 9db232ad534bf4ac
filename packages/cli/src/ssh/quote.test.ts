import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { remoteCommand } from './quote.ts'

test('a shell gets any words unchanged', () => {
  const word = fc.string({ unit: fc.constantFrom(...`ab '"$\\\`!*?;&|<>(){}[]~#%\n\té`) })
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const line = remoteCommand(['printf', '%s\\0', ...words])
      const seen = execFileSync('sh', ['-c', line]).toString().split('\0').slice(0, -1)
      expect(seen).toEqual(words)
    }),
    { numRuns: 50 },
  )
})

test('a single word is a line of shell', () => {
  expect(execFileSync('sh', ['-c', remoteCommand(['echo one && echo two'])]).toString()).toBe('one\ntwo\n')
})
