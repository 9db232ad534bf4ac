import { type EnvironmentClassSpec, standardEnvironmentClasses } from '@hearth/contract'
import { isId, newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { EnvironmentClassRow } from './table.ts'

export interface EnvironmentClassFilter {
  organizationId: string
  name?: string | undefined
  after?: string | undefined
  limit: number
}

export async function listEnvironmentClasses(
  queryable: Queryable,
  filter: EnvironmentClassFilter,
): Promise<EnvironmentClassRow[]> {
  let query = queryable
    .selectFrom('environment_classes')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return query.execute()
}

export async function findEnvironmentClass(
  queryable: Queryable,
  organizationId: string,
  idOrName: string,
): Promise<EnvironmentClassRow | undefined> {
  return queryable
    .selectFrom('environment_classes')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where(isId(idOrName) ? 'id' : 'name', '=', idOrName)
    .executeTakeFirst()
}

/** The row, which nobody else changes until the transaction ends. */
export async function lockEnvironmentClass(
  tx: DatabaseTransaction,
  organizationId: string,
  idOrName: string,
): Promise<EnvironmentClassRow | undefined> {
  return tx
    .selectFrom('environment_classes')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where(isId(idOrName) ? 'id' : 'name', '=', idOrName)
    .forUpdate()
    .executeTakeFirst()
}

export async function insertEnvironmentClass(
  tx: DatabaseTransaction,
  created: {
    organizationId: string
    creator: string | null
    name: string
    labels: Record<string, string>
    spec: EnvironmentClassSpec
  },
): Promise<EnvironmentClassRow> {
  return tx
    .insertInto('environment_classes')
    .values({
      id: newId(),
      organization_id: created.organizationId,
      name: created.name,
      creator: created.creator,
      labels: JSON.stringify(created.labels),
      spec: JSON.stringify(created.spec),
      status: '{}',
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** The sizes every organization starts with. */
export async function insertStandardClasses(tx: DatabaseTransaction, organizationId: string): Promise<void> {
  for (const [name, size] of Object.entries(standardEnvironmentClasses)) {
    const spec = { ...size, image: 'debian-12', region: null, runnerSelector: {} }
    await insertEnvironmentClass(tx, { organizationId, creator: null, name, labels: {}, spec })
  }
}

export async function updateEnvironmentClass(
  tx: DatabaseTransaction,
  id: string,
  change: { labels: Record<string, string>; spec: EnvironmentClassSpec },
): Promise<EnvironmentClassRow> {
  return tx
    .updateTable('environment_classes')
    .set({
      labels: JSON.stringify(change.labels),
      spec: JSON.stringify(change.spec),
      spec_version: sql`spec_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** How many pools and environments that are not deleted are of this class. */
export async function countUses(tx: DatabaseTransaction, id: string): Promise<number> {
  const { rows } = await sql<{ uses: string }>`
    SELECT (SELECT count(*) FROM warm_pools WHERE environment_class_id = ${id})
      + (SELECT count(*) FROM environments WHERE environment_class_id = ${id} AND phase <> 'deleted') AS uses`.execute(
    tx,
  )
  return Number(rows[0]?.uses ?? 0)
}

export async function deleteEnvironmentClass(tx: DatabaseTransaction, id: string): Promise<void> {
  await tx.deleteFrom('environment_classes').where('id', '=', id).execute()
}
