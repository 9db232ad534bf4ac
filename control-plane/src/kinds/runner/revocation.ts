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
  /** Null where NATS takes no revocations from this installation: credentials then end by themselves. */
  keys: RevocationKeys | null
  log: Logger
}

/**
 * Has NATS refuse what was signed for runners that are deleted by now, until it would have ended by itself. A runner
 * stays deleted though NATS is away, so a failure is told and not thrown: `tell` is called again each minute.
 */
export class Revocations {
  constructor(private readonly options: RevocationsOptions) {}

  async tell(): Promise<void> {
    const { database, clock, servers, keys, log } = this.options
    if (keys === null) return
    try {
      const told = await transact(database, async (tx) => {
        // One replica at a time: the later of two must not put back what the other has not seen yet.
        await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.revocations})`.execute(tx)
        const runnerIds = await revokedRunnerIds(tx, clock.now())
        return { runnerIds, outcome: await revokeRunners(servers, keys, runnerIds) }
      })
      if (told.outcome === 'revoked')
        log.info({ revoked: told.runnerIds.length }, 'NATS refuses the deleted runners’ credentials')
    } catch (error) {
      log.warn({ err: toError(error) }, 'the deleted runners’ credentials are not revoked yet; trying again')
    }
  }
}
