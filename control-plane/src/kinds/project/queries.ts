import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import type { Wake } from '../../reconciling/wake.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { SeenProject } from './decide.ts'

export const projects = resourceQueries('projects', { noun: 'project', names: 'unique' })

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

/** The pools, environments and snapshots that still belong to a project. */
export async function dependentsOf(
  queryable: Queryable,
  projectId: string,
): Promise<{ warmPoolIds: string[]; environmentIds: string[]; snapshotIds: string[]; claimed: number }> {
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
  const snapshots = await queryable
    .selectFrom('snapshots')
    .select('id')
    .where('project_id', '=', projectId)
    .where('phase', '<>', 'deleted')
    .execute()
  return {
    warmPoolIds: pools.map(({ id }) => id),
    environmentIds: environments.map(({ id }) => id),
    snapshotIds: snapshots.map(({ id }) => id),
    claimed: environments.filter(({ claim_id }) => claim_id !== null).length,
  }
}

/** What is left of a project by name, for the sentence that says what keeps it. */
export async function readRemains(
  tx: DatabaseTransaction,
  projectId: string,
): Promise<Pick<SeenProject, 'pools' | 'machines'>> {
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

/** Wakes for those of these projects that are being deleted: one of their machines is gone. */
export async function projectsThatWait(tx: DatabaseTransaction, ids: readonly string[]): Promise<Wake[]> {
  if (ids.length === 0) return []
  const rows = await tx
    .selectFrom('projects')
    .select('id')
    .where('id', 'in', [...new Set(ids)])
    .where('phase', '=', 'deleting')
    .execute()
  return rows.map(({ id }) => ({ kind: 'project', id }))
}
