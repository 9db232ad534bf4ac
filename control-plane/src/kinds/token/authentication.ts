import type { QuotaLimits } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Caller } from '../../api/caller.ts'
import { limitsOf } from '../../api/quota-limits.ts'
import type { Database } from '../../database/connection.ts'
import type { Notifications } from '../../database/notifications.ts'
import { findToken, hashSecret } from './queries.ts'

/** The caller of a token that is known by its id; null when it has ended. */
export async function callerOfToken(
  { database, quotas }: { database: Database; quotas: QuotaLimits },
  id: string,
): Promise<Caller | null> {
  const found = await findToken(database, { id })
  return found === null ? null : { ...found.caller, limits: limitsOf(quotas, found.organization) }
}

/** Bounds what a lost notification could leave standing. */
const rememberMilliseconds = 10_000
const mostRemembered = 10_000

interface Remembered {
  caller: Caller
  until: number
}

/**
 * Finds the caller of a token. Known tokens are cached for some seconds. The cache is cleared when PostgreSQL notifies
 * of a changed token, and not used while it cannot notify.
 */
export class Authentication {
  private readonly remembered = new Map<string, Remembered>()

  constructor(
    private readonly database: Database,
    private readonly notifications: Notifications,
    private readonly clock: Clock,
    private readonly quotas: QuotaLimits,
  ) {
    notifications.on('hearth_tokens', () => this.remembered.clear())
  }

  /** null when the secret is not known or its token has ended. */
  async authenticate(secret: string): Promise<Caller | null> {
    const now = this.clock.now().getTime()
    const hash = hashSecret(secret)
    const key = hash.toString('base64')
    const known = this.remembered.get(key)
    if (known !== undefined && now < known.until && this.notifications.isConnected()) return known.caller
    const found = await findToken(this.database, { secretHash: hash })
    if (found === null) return null
    const until = Math.min(now + rememberMilliseconds, found.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY)
    if (this.remembered.size >= mostRemembered) this.remembered.clear()
    const caller = { ...found.caller, limits: limitsOf(this.quotas, found.organization) }
    this.remembered.set(key, { caller, until })
    return caller
  }
}
