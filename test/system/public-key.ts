import { generateKeyPairSync } from 'node:crypto'

/** A new OpenSSH Ed25519 public key line. */
export function newPublicKey(): string {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const length = (bytes: number) => Buffer.from([0, 0, 0, bytes])
  return `ssh-ed25519 ${Buffer.concat([length(11), Buffer.from('ssh-ed25519'), length(32), raw]).toString('base64')}`
}
