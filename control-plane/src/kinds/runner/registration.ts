import type { NatsCredentials, Registration, RunnerFacts } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { issueRunnerCredentials } from '@hearth/messaging'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { noteCredentials, runners } from './queries.ts'
import { settleRunner } from './settle.ts'

/**
 * Begins a new lease: the epoch rises, whoever holds an older one is refused from now on. The answer holds NATS
 * credentials that reach this runner's own subjects only. Throws `unavailable` when the agent that asked has gone, which
 * `gone` tells: a request that lay about must not take the runner from the agent that came after it. The credentials end
 * after a while where the agent `renews` them.
 */
export async function register(
  services: Services,
  runnerId: string,
  facts: RunnerFacts,
  { gone, renews }: { gone: AbortSignal; renews: boolean },
): Promise<Registration> {
  const { database, clock, timings, messaging, runnerMessaging } = services
  await messaging.ensureRunner(runnerId)
  const credentials = await issueCredentials(services, runnerId, { end: renews })
  const now = clock.now()
  const row = await transact(database, async (tx) => {
    const locked = await runners.lockById(tx, runnerId)
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
    nats: { servers: [...runnerMessaging.servers], ...credentials },
  }
}

/** Credentials that reach this runner's own subjects only. Throws `not_found` when the runner is deleted by now. */
export async function issueCredentials(
  { database, clock, runnerMessaging }: Pick<Services, 'database' | 'clock' | 'runnerMessaging'>,
  runnerId: string,
  { end }: { end: boolean },
): Promise<NatsCredentials> {
  const { accountSeed, credentialsMilliseconds } = runnerMessaging
  const never = { expiresAt: null, expiresInSeconds: null }
  if (accountSeed === null) return { credentials: null, ...never }
  const expiresAt = end ? new Date(clock.now().getTime() + credentialsMilliseconds) : null
  // First, so that nothing is given out that would not be revoked with the runner.
  if (!(await noteCredentials(database, runnerId, expiresAt)))
    throw new HearthError('not_found', `there is no runner ${runnerId}`)
  if (expiresAt === null)
    return { credentials: await issueRunnerCredentials(accountSeed, runnerId), ...never }
  return {
    credentials: await issueRunnerCredentials(accountSeed, runnerId, { expiresAt }),
    expiresAt: expiresAt.toISOString(),
    expiresInSeconds: Math.ceil(credentialsMilliseconds / 1_000),
  }
}
