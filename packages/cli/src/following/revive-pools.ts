import type { HearthClient } from '@hearth/client'
import {
  type ApplyResult,
  type ProjectDeclarationInput,
  type WarmPool,
  warmPoolSchema,
} from '@hearth/contract'
import { goneIsNull } from '../kinds/environment.ts'
import { followUntil } from './follow-until.ts'

/** How long a pool may take to notice that it was changed. */
const noticeMilliseconds = 2_000

/**
 * Applies a declaration. A pool that had given up, because too many boots had failed, tries anew: whoever applies a
 * file again wants that, and has perhaps mended the host, which the pool cannot know.
 */
export async function applyAndRevive(
  client: HearthClient,
  declaration: ProjectDeclarationInput,
  signal: AbortSignal,
): Promise<ApplyResult> {
  const result = await client.apply(declaration, { signal })
  const pools = result.warmPools.filter(({ change }) => change !== 'deleted' && change !== 'created')
  const deleted = await Promise.all(pools.map(({ id }) => revive(client, id, signal)))
  return deleted.includes(true) ? await client.apply(declaration, { signal }) : result
}

/** True when the pool had to be deleted to be made again, since none of its failed machines is left to try. */
async function revive(client: HearthClient, poolId: string, signal: AbortSignal): Promise<boolean> {
  if (await goesOn(client, poolId, signal)) return false
  const failed = await client.environments.listAll({ warmPoolId: poolId, phase: 'failed' }, { signal })
  const machine = failed.findLast(
    ({ status, spec }) => status.claimId === null && spec.desiredPhase === 'running',
  )
  if (machine !== undefined) {
    await client.environments.retry(machine.metadata.id, { signal })
    return false
  }
  await client.warmPools.delete(poolId, { signal })
  await followUntil(client, {
    signal,
    kind: 'WarmPool',
    resourceId: poolId,
    read: async (reading) =>
      (await client.warmPools.get(poolId, { signal: reading }).catch(goneIsNull)) === null,
    take: ({ verb }) => verb === 'deleted',
  })
  return true
}

/** Whether the pool, once it has noticed what was applied, is at work or done, and has not given up. */
async function goesOn(client: HearthClient, poolId: string, signal: AbortSignal): Promise<boolean> {
  const isWell = ({ specVersion, status }: WarmPool) =>
    status.observedSpecVersion >= specVersion && status.phase !== 'failed'
  const timeout = AbortSignal.timeout(noticeMilliseconds)
  try {
    await followUntil(client, {
      signal: AbortSignal.any([signal, timeout]),
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
    if (!timeout.aborted || signal.aborted) throw error
    // A pool that has only been slow to notice has not given up.
    return (await client.warmPools.get(poolId, { signal })).status.phase !== 'failed'
  }
}
