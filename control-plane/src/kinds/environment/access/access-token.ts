import { HearthError } from '@hearth/foundation'
import { z } from 'zod'
import type { Caller } from '../../../api/caller.ts'
import type { Services } from '../../../api/services.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { callerOfToken } from '../../token/index.ts'

const accessSeconds = 3_600
const mostTokenCharacters = 1_024
/** Part of what the token's tag covers, so that no other token is one. */
const purpose = 'environment-access'
const accessSchema = z.object({ environmentId: z.string(), tokenId: z.string(), expiresAt: z.iso.datetime() })

/**
 * A token with which its holder calls into one environment, for an hour, as whoever made it could. It is not stored, and ends
 * with the token that it was made with.
 */
export function makeAccessToken(
  encryption: Encryption,
  environmentId: string,
  { tokenId }: Pick<Caller, 'tokenId'>,
  now: Date,
): string {
  const expiresAt = new Date(now.getTime() + accessSeconds * 1000).toISOString()
  return encryption
    .encrypt(JSON.stringify({ environmentId, tokenId, expiresAt }), purpose)
    .toString('base64url')
}

/**
 * On whose behalf a token calls into this environment. Throws `unauthenticated` for what is no token, or has ended, and
 * `forbidden` for one of another environment.
 */
export async function callerByAccessToken(
  services: Pick<Services, 'encryption' | 'clock' | 'database' | 'quotas'>,
  environmentId: string,
  token: string,
): Promise<Caller> {
  const access = readToken(services.encryption, token)
  const isGood = access !== null && Date.parse(access.expiresAt) > services.clock.now().getTime()
  const caller = isGood ? await callerOfToken(services, access.tokenId) : null
  if (access === null || caller === null)
    throw new HearthError(
      'unauthenticated',
      'send an access token of this environment; it is good for an hour',
    )
  if (access.environmentId !== environmentId)
    throw new HearthError('forbidden', 'the access token is one of another environment')
  return caller
}

function readToken(encryption: Encryption, token: string): z.output<typeof accessSchema> | null {
  if (token.length > mostTokenCharacters) return null
  try {
    return accessSchema.parse(JSON.parse(encryption.decrypt(Buffer.from(token, 'base64url'), purpose)))
  } catch {
    return null
  }
}
