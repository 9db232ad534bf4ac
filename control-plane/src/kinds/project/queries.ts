import type { ProjectSpec } from '@hearth/contract'
import { isId, newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import type { ObservedProject } from './decide.ts'
import type { ProjectRow, StoredProjectStatus } from './table.ts'

export interface ProjectFilter {
  organizationId: string
  name?: string | undefined
  after?: string | undefined
  limit: number
}

export async function listProjects(queryable: Queryable, filter: ProjectFilter): Promise<ProjectRow[]> {
  let query = queryable
    .selectFrom('projects')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return query.execute()
}

export async function findProject(
  queryable: Queryable,
  organizationId: string,
  idOrName: string,
): Promise<ProjectRow | undefined> {
  return queryable
    .selectFrom('projects')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where(isId(idOrName) ? 'id' : 'name', '=', idOrName)
    .executeTakeFirst()
}

/** The same under lock: whoever changes a project or makes something of it reads it so. */
export async function lockProject(
  tx: DatabaseTransaction,
  organizationId: string,
  idOrName: string,
): Promise<ProjectRow | undefined> {
  return tx
    .selectFrom('projects')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where(isId(idOrName) ? 'id' : 'name', '=', idOrName)
    .forUpdate()
    .executeTakeFirst()
}

export async function insertProject(
  tx: DatabaseTransaction,
  created: {
    organizationId: string
    creator: string
    name: string
    labels: Record<string, string>
    spec: ProjectSpec
  },
): Promise<ProjectRow> {
  return tx
    .insertInto('projects')
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

export async function updateProject(
  tx: DatabaseTransaction,
  id: string,
  change: { labels: Record<string, string>; spec: ProjectSpec; phase: ProjectRow['phase'] },
): Promise<ProjectRow> {
  return tx
    .updateTable('projects')
    .set({
      labels: JSON.stringify(change.labels),
      spec: JSON.stringify(change.spec),
      phase: change.phase,
      spec_version: sql`spec_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

const secretContext = (projectId: string, name: string) => `${projectId}:${name}`

/** Replaces all secrets of a project. */
export async function writeSecrets(
  tx: DatabaseTransaction,
  encryption: Encryption,
  projectId: string,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await tx.deleteFrom('project_secrets').where('project_id', '=', projectId).execute()
  const rows = Object.entries(secrets).map(([name, value]) => ({
    project_id: projectId,
    name,
    value: encryption.encrypt(value, secretContext(projectId, name)),
  }))
  if (rows.length > 0) await tx.insertInto('project_secrets').values(rows).execute()
}

/** The secrets in plain text: only to be sealed for a runner or compared. */
export async function readSecrets(
  queryable: Queryable,
  encryption: Encryption,
  projectId: string,
): Promise<Record<string, string>> {
  const rows = await queryable
    .selectFrom('project_secrets')
    .selectAll()
    .where('project_id', '=', projectId)
    .execute()
  return Object.fromEntries(
    rows.map((row) => [row.name, encryption.decrypt(row.value, secretContext(projectId, row.name))]),
  )
}

/** The pools and machines that still belong to a project. */
export async function dependentsOf(
  queryable: Queryable,
  projectId: string,
): Promise<{ warmPoolIds: string[]; environmentIds: string[]; claimed: number }> {
  const pools = await queryable
    .selectFrom('warm_pools')
    .select('id')
    .where('project_id', '=', projectId)
    .execute()
  const environments = await queryable
    .selectFrom('environments')
    .select(['id', 'claim_id'])
    .where('project_id', '=', projectId)
    .where('phase', '<>', 'deleted')
    .execute()
  return {
    warmPoolIds: pools.map(({ id }) => id),
    environmentIds: environments.map(({ id }) => id),
    claimed: environments.filter(({ claim_id }) => claim_id !== null).length,
  }
}

/** What is left of a project by name, for the sentence that says what keeps it. */
export async function observeRemains(
  tx: DatabaseTransaction,
  projectId: string,
): Promise<Pick<ObservedProject, 'pools' | 'machines'>> {
  const pools = await tx.selectFrom('warm_pools').select('name').where('project_id', '=', projectId).execute()
  const machines = await tx
    .selectFrom('environments')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .select(['environments.name', 'environments.phase', 'runners.name as runner'])
    .where('project_id', '=', projectId)
    .where('environments.phase', '<>', 'deleted')
    .orderBy('environments.id')
    .execute()
  return { pools: pools.map(({ name }) => name), machines }
}

export async function updateProjectStatus(
  tx: DatabaseTransaction,
  id: string,
  status: StoredProjectStatus,
): Promise<ProjectRow> {
  return tx
    .updateTable('projects')
    .set({
      status: JSON.stringify(status),
      status_version: sql`status_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteProject(tx: DatabaseTransaction, id: string): Promise<void> {
  await tx.deleteFrom('projects').where('id', '=', id).execute()
}
