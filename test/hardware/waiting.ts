import type { HearthClient } from '@hearth/client'
import type { Environment, WarmPool } from '@hearth/contract'
import { until } from '../system/following.ts'

/** Time limit for an emulated guest, next to others on a busy host. */
const guestMilliseconds = 500_000

/** Looks again after every event until the environment is as wanted. */
export const untilEnvironment = (
  client: HearthClient,
  id: string,
  wanted: (environment: Environment) => boolean,
): Promise<Environment> =>
  until(client, `environment ${id}`, () => client.environments.get(id), wanted, guestMilliseconds)

/** Looks again after every event until provisioning has ended, successfully or not. */
export const untilProvisioned = (client: HearthClient, id: string): Promise<Environment> =>
  untilEnvironment(client, id, ({ status }) => status.phase === 'running' || status.phase === 'failed')

export const untilDeleted = (client: HearthClient, id: string): Promise<Environment> =>
  untilEnvironment(client, id, ({ status }) => status.phase === 'deleted')

/** Looks again after every event until the pool has a ready member. */
export const untilReady = (client: HearthClient, id: string): Promise<WarmPool> =>
  until(
    client,
    `pool ${id}`,
    () => client.warmPools.get(id),
    ({ status }) => status.ready > 0,
    guestMilliseconds,
  )
