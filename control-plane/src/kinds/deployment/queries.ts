import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { DeploymentRow } from './table.ts'

export const deployments = resourceQueries('deployments', { noun: 'deployment', names: 'shared' })

/** Those of a space that are on their way, the oldest first, under lock. */
export async function lockUnderway(tx: DatabaseTransaction, spaceId: string): Promise<DeploymentRow[]> {
  return tx
    .selectFrom('deployments')
    .selectAll()
    .where('space_id', '=', spaceId)
    .where('finished_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** Ids of all of a space. */
export async function idsOf(queryable: Queryable, spaceId: string): Promise<string[]> {
  const rows = await queryable
    .selectFrom('deployments')
    .select('id')
    .where('space_id', '=', spaceId)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** The one that was asked for last. */
export async function lastDeploymentOf(queryable: Queryable, spaceId: string): Promise<string | null> {
  return (await idsOf(queryable, spaceId)).at(-1) ?? null
}

/** The one that made a release of a space and went well. */
export async function findRelease(
  queryable: Queryable,
  spaceId: string,
  before: string | null,
): Promise<DeploymentRow | undefined> {
  let query = queryable
    .selectFrom('deployments')
    .selectAll()
    .where('space_id', '=', spaceId)
    .where('phase', '=', 'succeeded')
    .whereRef('release_id', '=', 'id')
    .orderBy('id', 'desc')
  if (before !== null) query = query.where('id', '<', before)
  return query.executeTakeFirst()
}

/** Ids of those of a space that went well, and whose release is none of those that are kept. */
export async function withoutRelease(
  queryable: Queryable,
  spaceId: string,
  releases: readonly string[],
): Promise<string[]> {
  const rows = await queryable
    .selectFrom('deployments')
    .innerJoin('artifact_holds', 'artifact_holds.holder_id', 'deployments.id')
    .select('deployments.id')
    .where('space_id', '=', spaceId)
    .where('phase', '=', 'succeeded')
    .where('release_id', 'not in', releases)
    .execute()
  return rows.map(({ id }) => id)
}

/** Deployments of a space that are kept for the record. */
const mostDeployments = 100

/** Forgets the oldest of a space that are over, but for those that are needed; returns them. */
export async function forgetOld(
  tx: DatabaseTransaction,
  spaceId: string,
  needed: readonly string[],
): Promise<DeploymentRow[]> {
  const { rows } = await sql<DeploymentRow>`
    DELETE FROM deployments WHERE id IN (
      SELECT id FROM deployments WHERE space_id = ${spaceId} ORDER BY id DESC OFFSET ${mostDeployments})
      AND finished_at IS NOT NULL AND NOT id = ANY(${needed}::uuid[])
      AND NOT release_id = ANY(${needed}::uuid[])
    RETURNING *`.execute(tx)
  return rows
}
