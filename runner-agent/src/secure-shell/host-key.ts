import { createHash } from 'node:crypto'
import ssh2 from 'ssh2'

export interface SecureShellKeyPair {
  /** OpenSSH private key file. */
  privateKey: string
  /** One line, `ssh-ed25519 AAAA... comment`. */
  publicKey: string
}

/** A new ed25519 key pair in the format OpenSSH and ssh2 both read. */
export function generateSecureShellKeyPair(comment: string): SecureShellKeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment })
    // ssh2 drops the first byte of a key when it is zero: one key pair in 256 would be unreadable, so another one is
    // generated.
    if (ssh2.utils.parseKey(pair.private) instanceof Error) continue
    return { privateKey: pair.private, publicKey: pair.public.trim() }
  }
}

/** The key bytes of an OpenSSH public key line, in the form in which a server shows its key. */
export function publicKeyBytes(line: string): Buffer {
  return Buffer.from(line.trim().split(/\s+/)[1] ?? '', 'base64')
}

/** Fingerprint as `ssh-keygen -l` shows it: `SHA256:` and base64 without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}
