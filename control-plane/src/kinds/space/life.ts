import type { SpaceType } from '@hearth/contract'
import type { Caller } from '../../api/caller.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import type { RouteRow } from '../route/index.ts'
import { addressesOf } from './addresses.ts'
import { spaces } from './queries.ts'
import { emptySpaceStatus, type SpaceRow, toSpace } from './table.ts'

export interface NewSpace {
  id: string
  name: string
  type: SpaceType
  webAppId: string
  route: RouteRow
  now: Date
}

/** The space of a web app that is made; it has nothing deployed. */
export async function insertSpace(
  tx: DatabaseTransaction,
  { organizationId, principalId: creator }: Caller,
  { id, name, type, webAppId, route, now }: NewSpace,
): Promise<SpaceRow> {
  const row = await spaces.insert(
    tx,
    { id, organizationId, creator, name, labels: {}, spec: { variables: {}, cronJobs: [] } },
    {
      web_app_id: webAppId,
      environment_id: route.environment_id,
      type,
      phase: 'provisioning',
      phase_since: now,
      desired: 'running',
      route_id: route.id,
      status: { ...emptySpaceStatus, ...addressesOf(route) },
    },
  )
  await recordEvent(tx, 'created', toSpace(row))
  return row
}

export async function wantSpaceGone(tx: DatabaseTransaction, row: SpaceRow): Promise<SpaceRow> {
  return row.desired === 'delete' ? row : spaces.changeSpec(tx, row.id, { desired: 'delete' })
}

/** What observers are told last of it is its newest version. */
export async function forgetSpace(tx: DatabaseTransaction, { id }: Pick<SpaceRow, 'id'>): Promise<void> {
  const row = await spaces.readById(tx, id)
  if (row === undefined) return
  await spaces.remove(tx, id)
  await recordEvent(tx, 'deleted', toSpace(row))
}
