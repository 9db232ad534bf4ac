import { type Clock, toError } from '@hearth/foundation'
import { type RevocationKeys, revokeRunners } from '@hearth/messaging'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Database } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { transact } from '../../database/transact.ts'
import { revokedRunnerIds } from './queries.ts'

export interface RevocationsOptions {
  database: Database
  clock: Clock
  servers: readonly string[]
  /** Null when this installation cannot revoke credentials in NATS: they then only expire. */
  keys: RevocationKeys | null
  log: Logger
}

/**
 * Revokes the NATS credentials of deleted runners until they expire. A runner stays deleted while NATS is unavailable,
 * so a failure is logged and not thrown: `revoke` is called again every minute.
 */
export class Revocations {
  constructor(private readonly options: RevocationsOptions) {}

  async revoke(): Promise<void> {
    const { database, clock, servers, keys, log } = this.options
    if (keys === null) return
    try {
      const revocation = await transact(database, async (tx) => {
        // One replica at a time: otherwise a replica with an older list could overwrite a newer one.
        await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.revocations})`.execute(tx)
        const runnerIds = await revokedRunnerIds(tx, clock.now())
        return { runnerIds, outcome: await revokeRunners(servers, keys, runnerIds) }
      })
      if (revocation.outcome === 'revoked')
        log.info({ revoked: revocation.runnerIds.length }, 'revoked the NATS credentials of deleted runners')
    } catch (error) {
      log.warn(
        { err: toError(error) },
        'could not revoke the NATS credentials of deleted runners; trying again',
      )
    }
  }
}
