import { generateSealingKeyPair, newId, seal } from '@hearth/foundation'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formsOf, openForbidden } from './forbidden-values.ts'

test('in base64 a value is found at whatever place of a longer text it stands', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8 }), fc.string(), fc.string(), (value, before, after) => {
      const encoded = Buffer.from(before + value + after).toString('base64')
      const forms = formsOf('TOKEN', value).map(({ bytes }) => bytes.toString('latin1'))
      expect(forms.some((form) => encoded.includes(form))).toBe(true)
    }),
  )
})

test('a value too short to be told from chance has no form, a longer one its own and that of a URL', () => {
  expect(formsOf('PIN', '1234567')).toEqual([])
  const forms = formsOf('PASSWORD', 'p@ss word').map(({ bytes }) => bytes.toString('latin1'))
  expect(forms).toEqual(expect.arrayContaining(['p@ss word', 'p%40ss%20word']))
})

test('what was sealed for another snapshot or runner does not open', () => {
  const own = generateSealingKeyPair()
  const id = newId()
  const sealedForbidden = seal(JSON.stringify({ TOKEN: 'abcdefghij' }), own.publicKey, id)
  expect(openForbidden({ id, sealedForbidden }, own.privateKey)[0]?.secret).toBe('TOKEN')
  expect(() => openForbidden({ id: newId(), sealedForbidden }, own.privateKey)).toThrow()
  const other = generateSealingKeyPair()
  expect(() => openForbidden({ id, sealedForbidden }, other.privateKey)).toThrow()
})
