import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Encryption } from './encryption.ts'

const encryption = new Encryption(randomBytes(32))

test('a text opens under its own context only', () => {
  const encrypted = encryption.encrypt('hunter2', 'row-1')
  expect(encryption.decrypt(encrypted, 'row-1')).toBe('hunter2')
  expect(() => encryption.decrypt(encrypted, 'row-2')).toThrow()
  expect(() => new Encryption(randomBytes(32)).decrypt(encrypted, 'row-1')).toThrow()
})

test('a shortened tag is refused', () => {
  const encrypted = encryption.encrypt('hunter2', 'row-1')
  const shortened = Buffer.concat([encrypted.subarray(0, 16), encrypted.subarray(28)])
  expect(() => encryption.decrypt(shortened, 'row-1')).toThrow()
})

test('a key of another length is refused when it is loaded', () => {
  expect(() => new Encryption(randomBytes(16))).toThrow('must have 32')
})
