import type { Registration, RunnerFacts } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { issueRunnerCredentials } from '@hearth/messaging'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { lockRunner } from './queries.ts'
import { settleRunner } from './settle.ts'

/**
 * Begins a new lease: the epoch rises, whoever holds an older one is refused from now on. The answer holds NATS
 * credentials that reach this runner's own subjects only.
 */
export async function register(
  services: Services,
  runnerId: string,
  facts: RunnerFacts,
): Promise<Registration> {
  const { database, clock, timings, messaging, runnerMessaging } = services
  await messaging.ensureRunner(runnerId)
  const { servers, accountSeed } = runnerMessaging
  const credentials = accountSeed === null ? null : await issueRunnerCredentials(accountSeed, runnerId)
  const now = clock.now()
  const row = await transact(database, async (tx) => {
    const locked = await lockRunner(tx, runnerId)
    if (locked === undefined || locked.phase === 'deleted')
      throw new HearthError('not_found', `there is no runner ${runnerId}`)
    const sighting = { facts, epoch: locked.epoch + 1, lastSeenAt: now, leftAt: null }
    return (
      await settleRunner(tx, locked, sighting, {
        now,
        listeningSince: now,
        leaseMilliseconds: timings.runnerLease,
      })
    ).row
  })
  return {
    runnerId,
    organizationId: row.organization_id,
    epoch: row.epoch,
    nats: { servers: [...servers], credentials },
  }
}
