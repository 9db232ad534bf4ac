import type { NatsCredentials, Registration, RunnerFacts } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { issueRunnerCredentials } from '@hearth/messaging'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { wakeRoutes } from './presence.ts'
import { noteCredentials, runners } from './queries.ts'
import { settleRunner } from './settle.ts'

/**
 * Begins a new lease: the epoch rises, and agents with an older one are refused from then on. The answer holds NATS
 * credentials for this runner's own subjects only; they expire only when the agent `renews` them. Throws `unavailable`
 * when `gone` is aborted, since the agent has closed its request: a late request must not take the runner from a newer
 * agent.
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
    if (gone.aborted) throw new HearthError('unavailable', 'the agent has closed its request to register')
    const sighting = { facts, epoch: locked.epoch + 1, lastSeenAt: now, leftAt: null }
    await wakeRoutes(tx, runnerId)
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
  // Stored before the credentials are signed, so that none are given out that would not be revoked with the runner.
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
