import type { Connection, certificateRequestSchema, claimCreateSchema } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import { mayEnter } from '../../api/caller.ts'
import type { Command } from '../../api/command.ts'
import { found, requireVersion } from '../../api/lookup.ts'
import { wake, wakeAfter } from '../../reconciling/wake.ts'
import type { Force, OnOne } from '../../resource/routes.ts'
import { desireDeletion, environments, forget } from '../environment/index.ts'
import { connect } from './connect.ts'
import { createClaim as create, type MadeClaim } from './create.ts'
import { claims } from './queries.ts'
import type { ClaimRow } from './table.ts'

/** Delay before a pool is woken: claims come in bursts, and the pool then refills for all of them at once. */
const refillPauseMilliseconds = 100

/** Gives the caller a ready member of a pool, or creates an environment for them. */
export const createClaim: Command<z.output<typeof claimCreateSchema>, MadeClaim> = {
  run: (tx, { services, caller }, body) => create(tx, services, caller, body),
  async afterCommit({ services: { metrics, database, log } }, { row, pool: { id: poolId } }) {
    metrics.claims.inc({ outcome: row.status.source })
    // Not in the transaction, where all claims of a pool would queue for the one row of its wake; the pool's own
    // timer makes up for one that is lost. The answer does not wait for it.
    wakeAfter(database, 'warm-pool', poolId, refillPauseMilliseconds).catch((error: unknown) =>
      log.warn({ err: toError(error), poolId }, 'could not wake a pool'),
    )
  },
  afterFailure({ services: { metrics } }, error) {
    if (error instanceof HearthError && error.code === 'pool_empty')
      metrics.claims.inc({ outcome: 'refused' })
  },
}

/**
 * Releases a claim and deletes its environment, which is never given to anyone else. With `force` its runner is not
 * waited for.
 */
export const releaseClaim: Command<OnOne<Force>, ClaimRow> = {
  async run(tx, { services, caller, expectedVersion }, { reference, body: { force } }) {
    const own = await claims.get(tx, caller, reference)
    requireVersion(expectedVersion, own.spec_version)
    // Locks the environment before its claim, in the same order as the reconciler.
    const environment =
      own.environment_id === null ? undefined : await environments.lockById(tx, own.environment_id)
    if (environment !== undefined && environment.phase !== 'deleted') {
      const because = { reason: 'claim_released' as const, principalId: caller.principalId }
      const now = services.clock.now()
      const going = await desireDeletion(tx, environment, because, now)
      if (force) await forget(tx, going, now)
    }
    const row = found(await claims.lockById(tx, own.id), 'claim', reference)
    await wake(tx, 'claim', row.id)
    return row
  },
}

/** Signs another certificate for a claim, for the same key or another. */
export const signClaimCertificate: Command<OnOne<z.output<typeof certificateRequestSchema>>, Connection> = {
  async run(tx, { services, caller }, { reference, body: { publicKey } }) {
    const row = await claims.get(tx, caller, reference)
    if (!mayEnter(caller, row.creator)) {
      throw new HearthError(
        'forbidden',
        `claim ${row.name} is someone else’s: only they and administrators enter it`,
      )
    }
    const connection = await connect(services, tx, row, caller.principalId, publicKey)
    if (connection !== null) return connection
    const phase = row.phase === 'bound' ? 'being released' : row.phase
    throw new HearthError('conflict', `claim ${row.name} is ${phase}: there is nothing to connect to`)
  },
}
