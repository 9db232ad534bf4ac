import type { WarmPool } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { goneIsNull } from './gone-is-null.ts'
import type { View } from './kind.ts'

/** Finds a pool by its id, its name, or its project if that has only one pool. */
export async function findPool(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  reference: string,
): Promise<WarmPool> {
  const called = await client.warmPools.get(reference, { signal }).catch(goneIsNull)
  if (called !== null) return called
  const project = await client.projects.get(reference, { signal }).catch(goneIsNull)
  const pools =
    project === null ? [] : await client.warmPools.listAll({ projectId: project.metadata.id }, { signal })
  const [first] = pools
  if (first === undefined) throw new HearthError('not_found', `there is no warm pool ${reference}`)
  if (pools.length === 1) return first
  const names = pools.map(({ metadata }) => metadata.name).join(', ')
  throw new HearthError(
    'conflict',
    `project ${reference} has ${pools.length} warm pools: give the name of one, ${names}`,
  )
}
