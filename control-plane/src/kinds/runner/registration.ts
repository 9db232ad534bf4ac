import type { Registration, RunnerFacts } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { issueRunnerCredentials } from '@hearth/messaging'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { lockRunner } from './queries.ts'
import { settleRunner } from './settle.ts'

/**
 * Begins a new lease: the epoch rises, whoever holds an older one is refused from now on. The answer holds NATS
 * credentials that reach this runner's own subjects only. Throws `unavailable` when the agent that asked has gone, which
 * `gone` tells: a request that lay about must not take the runner from the agent that came after it.
 */
export async function register(
  services: Services,
  runnerId: string,
  facts: RunnerFacts,
  gone: AbortSignal,
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
    if (gone.aborted) throw new HearthError('unavailable', 'the agent that asked to register has gone')
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
