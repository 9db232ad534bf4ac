import { logTokenSeconds } from '@hearth/contract'
import type { Encryption } from '../../database/encryption.ts'

export const mostTokenCharacters = 256

/** Whose log a token reads. */
export interface LogSubject {
  kind: 'prebuild' | 'environment'
  id: string
}

const contextOf = ({ kind, id }: LogSubject) => `${kind}-log:${id}`

/** A token that reads the log of one subject for an hour. It is not stored: the control plane's key is in it. */
export function makeLogToken(
  encryption: Encryption,
  subject: LogSubject,
  now: Date,
): { token: string; expiresAt: Date } {
  const expiresAt = new Date(now.getTime() + logTokenSeconds * 1000)
  const token = encryption.encrypt(expiresAt.toISOString(), contextOf(subject)).toString('base64url')
  return { token, expiresAt }
}

/**
 * Whether a token reads the log of this subject now. Its tag is compared in constant time, as AES-GCM does, and the subject
 * is part of what the tag covers.
 */
export function isLogToken(encryption: Encryption, subject: LogSubject, token: string, now: Date): boolean {
  if (token.length > mostTokenCharacters) return false
  try {
    const expiresAt = encryption.decrypt(Buffer.from(token, 'base64url'), contextOf(subject))
    return Date.parse(expiresAt) > now.getTime()
  } catch {
    return false
  }
}
