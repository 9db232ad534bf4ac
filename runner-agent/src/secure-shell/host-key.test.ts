import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { generateSecureShellKeyPair, publicKeyBytes } from './host-key.ts'

// One key pair in 256 made by the library alone cannot be read: among 2,000, one would almost surely appear.
test('every key pair can be read again, and its public key belongs to its private key', () => {
  for (let count = 0; count < 2_000; count++) {
    const { privateKey, publicKey } = generateSecureShellKeyPair('test')
    const parsed = ssh2.utils.parseKey(privateKey)
    if (parsed instanceof Error) throw parsed
    expect(parsed.getPublicSSH()).toEqual(publicKeyBytes(publicKey))
  }
})
