import { generateSealingKeyPair, newId, unseal } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { Encryption } from '../../../database/encryption.ts'
import { type Granted, grantFor, offerFor } from './grant.ts'

const encryption = new Encryption(Buffer.alloc(32, 1))
const [server, reader] = [generateSealingKeyPair(), generateSealingKeyPair()]
const granted: Granted = {
  ...{ snapshotId: newId(), readerId: newId(), grantId: newId(), expiresAt: '2026-01-01T00:00:00.000Z' },
}
const address = { host: 'north.example', port: 7_070 }
const keyOf = (of: Granted, by = encryption) =>
  unseal(offerFor(by, of, server.publicKey).sealedKey, server.privateKey, of.grantId)

test('both runners get the same key of 32 bytes, each sealed to it, however often their orders are built', () => {
  const grant = grantFor(encryption, granted, address, reader.publicKey)
  expect(grant).toMatchObject({ id: granted.grantId, ...address, expiresAt: granted.expiresAt })
  const opened = unseal(grant.sealedKey, reader.privateKey, granted.grantId)
  expect(Buffer.from(opened, 'base64')).toHaveLength(32)
  expect([keyOf(granted), keyOf(granted)]).toEqual([opened, opened])
  expect(() => unseal(grant.sealedKey, server.privateKey, granted.grantId)).toThrow()
})

test('another grant, layer, reader or control plane has another key', () => {
  const keys = [
    keyOf(granted),
    ...(['snapshotId', 'readerId', 'grantId'] as const).map((name) => keyOf({ ...granted, [name]: newId() })),
    keyOf(granted, new Encryption(Buffer.alloc(32, 2))),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})
