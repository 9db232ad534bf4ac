import { randomBytes } from 'node:crypto'
import { newId } from '@hearth/foundation'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Encryption } from '../../database/encryption.ts'
import { isLogToken, type LogSubject, makeLogToken } from './token.ts'

const encryption = new Encryption(randomBytes(32))
const subject: LogSubject = { kind: 'prebuild', id: newId() }
const now = new Date('2026-06-01T12:00:00Z')
const { token, expiresAt } = makeLogToken(encryption, subject, now)

test('a token reads the log of its subject for one hour, and not a moment longer', () => {
  expect(expiresAt.toISOString()).toBe('2026-06-01T13:00:00.000Z')
  expect(isLogToken(encryption, subject, token, now)).toBe(true)
  expect(isLogToken(encryption, subject, token, new Date(expiresAt.getTime() - 1))).toBe(true)
  expect(isLogToken(encryption, subject, token, expiresAt)).toBe(false)
})

test('a token reads nothing else, also of its id, and nothing of another control plane', () => {
  expect(isLogToken(encryption, { ...subject, id: newId() }, token, now)).toBe(false)
  expect(isLogToken(encryption, { ...subject, kind: 'environment' }, token, now)).toBe(false)
  expect(isLogToken(new Encryption(randomBytes(32)), subject, token, now)).toBe(false)
})

test('nothing else is a token: no text, and no token of which one bit was changed', () => {
  fc.assert(fc.property(fc.string(), (text) => !isLogToken(encryption, subject, text, now)))
  const bytes = Buffer.from(token, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(isLogToken(encryption, subject, changed.toString('base64url'), now)).toBe(false)
  }
  expect(isLogToken(encryption, subject, token.repeat(10), now)).toBe(false)
})
