import { isId } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import { readHolders } from './queries.ts'

/** A runner that still has the layer of a snapshot. */
export interface LayerLeft {
  snapshotId: string
  runner: string
  /** What stands on it there, by kind and name. */
  usedBy: string[]
}

/** Which runners have layers of snapshots that are to go, and why. */
export async function readLayersLeft(
  queryable: Queryable,
  organizationId: string,
  snapshotIds: readonly string[],
): Promise<LayerLeft[]> {
  const holders = await readHolders(queryable, snapshotIds)
  const used = holders.flatMap(({ kept_by }) => kept_by)
  const names = await namesOfUsers(queryable, organizationId, used)
  return holders.map(({ snapshot_id, runner_name, kept_by }) => ({
    snapshotId: snapshot_id,
    runner: runner_name,
    usedBy: kept_by.map((id) => names.get(id) ?? id),
  }))
}

/** Kind and name of what agents name by its id. */
export async function namesOfUsers(
  queryable: Queryable,
  organizationId: string,
  usedBy: readonly string[],
): Promise<Map<string, string>> {
  const ids = [...new Set(usedBy.filter(isId))]
  if (ids.length === 0) return new Map()
  const machines = await queryable
    .selectFrom('environments')
    .select(['id', 'name'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', ids)
    .execute()
  const layers = await queryable
    .selectFrom('snapshots')
    .select(['id', 'name'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', ids)
    .execute()
  return new Map([
    ...machines.map(({ id, name }) => [id, `environment ${name}`] as const),
    ...layers.map(({ id, name }) => [id, `snapshot ${name}`] as const),
  ])
}
