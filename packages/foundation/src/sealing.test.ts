import fc from 'fast-check'
import { expect, test } from 'vitest'
import { generateSealingKeyPair, seal, unseal } from './sealing.ts'

const pair = generateSealingKeyPair()

test('what is sealed opens with the same key and context, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, context) => {
      expect(unseal(seal(text, pair.publicKey, context), pair.privateKey, context)).toBe(text)
    }),
  )
})

test('another context, another key or a changed byte does not open', () => {
  const sealed = seal('secret', pair.publicKey, 'environment-1')
  expect(() => unseal(sealed, pair.privateKey, 'environment-2')).toThrow()
  expect(() => unseal(sealed, generateSealingKeyPair().privateKey, 'environment-1')).toThrow()
  const bytes = Buffer.from(sealed, 'base64')
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  expect(() => unseal(bytes.toString('base64'), pair.privateKey, 'environment-1')).toThrow()
})

test('the sealed text does not contain the plain text', () => {
  expect(Buffer.from(seal('correct horse', pair.publicKey, ''), 'base64').toString('latin1')).not.toContain(
    'correct horse',
  )
})
