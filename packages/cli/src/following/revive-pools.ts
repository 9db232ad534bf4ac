import type { HearthClient } from '@hearth/client'
import {
  type ApplyResult,
  type ProjectDeclarationInput,
  type WarmPool,
  warmPoolSchema,
} from '@hearth/contract'
import { Deadline } from '@hearth/foundation'
import { followUntil } from './follow-until.ts'

/** Time limit for a pool to react to a change of its spec. */
const noticeMilliseconds = 2_000

/**
 * Applies a declaration. A pool that had given up after too many failed boots tries again: a user who applies a file
 * again wants that and may have repaired the host, which the pool cannot know.
 */
export async function applyAndRevive(
  client: HearthClient,
  declaration: ProjectDeclarationInput,
  signal: AbortSignal,
): Promise<ApplyResult> {
  const result = await client.apply(declaration, { signal })
  const pools = result.warmPools.filter(({ change }) => change !== 'deleted' && change !== 'created')
  await Promise.all(pools.map(({ id }) => revive(client, id, signal)))
  return result
}

/** Retries the failed member, or, where none is left, makes the pool fill again. */
async function revive(client: HearthClient, poolId: string, signal: AbortSignal): Promise<void> {
  if (await goesOn(client, poolId, signal)) return
  const failed = await client.environments.listAll({ warmPoolId: poolId, phase: 'failed' }, { signal })
  const environment = failed.findLast(
    ({ status, spec }) => status.claimId === null && spec.desiredPhase === 'running',
  )
  if (environment === undefined) await client.warmPools.clear(poolId, { replenish: true }, { signal })
  else await client.environments.retry(environment.metadata.id, { signal })
}

/** Whether the pool, after it has reacted to the applied spec, is working or done and has not given up. */
async function goesOn(client: HearthClient, poolId: string, signal: AbortSignal): Promise<boolean> {
  const isWell = ({ specVersion, status }: WarmPool) =>
    status.observedSpecVersion >= specVersion && status.phase !== 'failed'
  using deadline = new Deadline(noticeMilliseconds, signal)
  try {
    await followUntil(client, {
      signal: deadline.signal,
      kind: 'WarmPool',
      resourceId: poolId,
      read: async (reading) => isWell(await client.warmPools.get(poolId, { signal: reading })),
      take: ({ resource }) => {
        const pool = warmPoolSchema.safeParse(resource)
        return pool.success && isWell(pool.data)
      },
    })
    return true
  } catch (error) {
    if (!deadline.hasPassed || signal.aborted) throw error
    // A pool that only reacts slowly has not given up.
    return (await client.warmPools.get(poolId, { signal })).status.phase !== 'failed'
  }
}
