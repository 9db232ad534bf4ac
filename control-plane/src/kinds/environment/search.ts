import type { DesiredPhase, EnvironmentPhase } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import type { ListFilter } from '../../resource/queries.ts'
import { type EnvironmentRow, environmentColumns } from './table.ts'

export interface EnvironmentState {
  phase: EnvironmentPhase
  desired: DesiredPhase
}

export interface EnvironmentSearch {
  ids?: readonly string[] | undefined
  projectIds?: readonly string[] | undefined
  runnerIds?: readonly string[] | undefined
  /** By default all but deleted ones. */
  phases?: readonly EnvironmentPhase[] | undefined
  /** Phases with what they are to become. */
  states?: readonly EnvironmentState[] | undefined
  creatorIds?: readonly string[] | undefined
  /** A part of their names, or of this label, in capitals or not. */
  named?: { part: string; label: string } | undefined
  /** That have this label, or have it not. */
  labelled?: { label: string; has: boolean } | undefined
  /** Of which this label is one of these values. */
  labels?: { label: string; values: readonly string[] } | undefined
  createdBefore?: Date | undefined
  /** Of those that somebody has (the default), of those that prebuilds are made on, of both, or of all there are. */
  whose?: 'users' | 'prebuilds' | 'both' | 'all' | undefined
}

/** With who has it: the claimant, or who asked for it. */
export type HeldEnvironment = EnvironmentRow & { held_by: string | null }

/**
 * The newest first, one row more than the limit when there are more. What waits in a pool is nobody's, and not among them.
 * What is not given, or empty, narrows nothing.
 */
export async function searchEnvironments(
  queryable: Queryable,
  { organizationId, after, limit }: ListFilter,
  search: EnvironmentSearch,
): Promise<HeldEnvironment[]> {
  let query = matching(queryable, organizationId, search)
    .select(environmentColumns.map((column) => `environments.${column}` as const))
    .select(heldBy.as('held_by'))
    .orderBy('environments.id', 'desc')
    .limit(limit + 1)
  if (after !== undefined) query = query.where('environments.id', '<', after)
  return (await query.execute()) as HeldEnvironment[]
}

/** How many there are. */
export async function countEnvironments(
  queryable: Queryable,
  organizationId: string,
  search: EnvironmentSearch,
): Promise<number> {
  const { count } = await matching(queryable, organizationId, search)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow()
  return count
}

const heldBy = sql<string | null>`coalesce(claims.creator, environments.creator)`

function matching(queryable: Queryable, organizationId: string, search: EnvironmentSearch) {
  const { ids, projectIds, runnerIds, phases, states, creatorIds, named, labelled, labels } = search
  const { createdBefore, whose = 'users' } = search
  const isUsers = sql<boolean>`(environments.claim_id IS NOT NULL OR environments.owner_kind IS NULL)`
  const isPrebuild = sql<boolean>`(environments.owner_kind = 'prebuild')`
  let query = queryable
    .selectFrom('environments')
    .leftJoin('claims', 'claims.id', 'environments.claim_id')
    .where('environments.organization_id', '=', organizationId)
  if (whose === 'users') query = query.where(isUsers)
  if (whose === 'prebuilds') query = query.where(isPrebuild)
  if (whose === 'both') query = query.where(sql<boolean>`(${isUsers} OR ${isPrebuild})`)
  if (ids?.length) query = query.where('environments.id', 'in', ids)
  if (projectIds?.length) query = query.where('environments.project_id', 'in', projectIds)
  if (runnerIds?.length) query = query.where('environments.runner_id', 'in', runnerIds)
  if (creatorIds?.length) query = query.where(heldBy, 'in', creatorIds)
  if (named?.part)
    query = query.where(
      sql<boolean>`strpos(lower(environments.name || chr(10) || coalesce(environments.labels ->> ${named.label}, '')), lower(${named.part})) > 0`,
    )
  if (labelled !== undefined)
    query = query.where(
      sql<boolean>`(environments.labels ->> ${labelled.label} IS NOT NULL) = ${labelled.has}`,
    )
  if (labels?.values.length)
    query = query.where(sql<string>`environments.labels ->> ${labels.label}`, 'in', labels.values)
  if (createdBefore !== undefined) query = query.where('environments.created_at', '<', createdBefore)
  if (states?.length)
    query = query.where(
      sql<string>`environments.phase || ' ' || environments.desired_phase`,
      'in',
      states.map(({ phase, desired }) => `${phase} ${desired}`),
    )
  if (phases?.length) query = query.where('environments.phase', 'in', phases)
  // One that is asked for by its id is shown after its end too.
  else if (!ids?.length && !states?.length) query = query.where('environments.phase', '<>', 'deleted')
  return query
}
