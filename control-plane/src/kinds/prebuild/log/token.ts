import { logTokenSeconds } from '@hearth/contract'
import type { Encryption } from '../../../database/encryption.ts'

export const mostTokenCharacters = 256

const context = (prebuildId: string) => `prebuild-log:${prebuildId}`

/** A token that reads the log of one prebuild for an hour. It is not stored: the control plane's key is in it. */
export function makeLogToken(
  encryption: Encryption,
  prebuildId: string,
  now: Date,
): { token: string; expiresAt: Date } {
  const expiresAt = new Date(now.getTime() + logTokenSeconds * 1000)
  const token = encryption.encrypt(expiresAt.toISOString(), context(prebuildId)).toString('base64url')
  return { token, expiresAt }
}

/**
 * Whether a token reads the log of this prebuild now. Its tag is compared in constant time, as AES-GCM does, and the
 * prebuild is part of what the tag covers.
 */
export function isLogToken(encryption: Encryption, prebuildId: string, token: string, now: Date): boolean {
  if (token.length > mostTokenCharacters) return false
  try {
    const expiresAt = encryption.decrypt(Buffer.from(token, 'base64url'), context(prebuildId))
    return Date.parse(expiresAt) > now.getTime()
  } catch {
    return false
  }
}
