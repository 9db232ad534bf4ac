import type { Command } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { desireDeletion, environments, forget } from '../../environment/index.ts'
import { claims } from '../queries.ts'
import type { ClaimRow } from '../table.ts'

/**
 * Releases a claim and deletes its environment, which is never given to anyone else. With `force` it does not wait for
 * its runner.
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
    // The end of its environment wakes it otherwise.
    if (environment === undefined || environment.phase === 'deleted') await wake(tx, 'claim', row.id)
    return row
  },
}
