import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import type { ListFilter } from '../../resource/queries.ts'
import type { ProjectRow } from './table.ts'

export interface ProjectSearch {
  ids?: readonly string[] | undefined
  creatorIds?: readonly string[] | undefined
  /** A part of their names, or of this label, in capitals or not. */
  named?: { part: string; label: string } | undefined
  /** Of one of their repositories; the same with and without `.git`. */
  repositories?: readonly string[] | undefined
}

/** The newest first, one row more than the limit when there are more. What is not given, or empty, narrows nothing. */
export async function searchProjects(
  queryable: Queryable,
  { organizationId, after, limit }: ListFilter,
  search: ProjectSearch,
): Promise<ProjectRow[]> {
  let query = matching(queryable, organizationId, search)
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (after !== undefined) query = query.where('id', '<', after)
  return query.execute()
}

/** How many there are. */
export async function countProjects(
  queryable: Queryable,
  organizationId: string,
  search: ProjectSearch,
): Promise<number> {
  const { count } = await matching(queryable, organizationId, search)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow()
  return count
}

function matching(
  queryable: Queryable,
  organizationId: string,
  { ids, creatorIds, named, repositories }: ProjectSearch,
) {
  let query = queryable.selectFrom('projects').where('organization_id', '=', organizationId)
  if (ids?.length) query = query.where('id', 'in', ids)
  if (creatorIds?.length) query = query.where('creator', 'in', creatorIds)
  if (named?.part)
    query = query.where(
      sql<boolean>`strpos(lower(name || chr(10) || coalesce(labels ->> ${named.label}, '')), lower(${named.part})) > 0`,
    )
  if (repositories?.length)
    query = query.where(
      sql<boolean>`EXISTS (SELECT FROM jsonb_array_elements(spec -> 'repositories') AS repository
        WHERE regexp_replace(repository ->> 'url', '\\.git$', '') = ANY(${repositories.map(withoutSuffix)}::text[]))`,
    )
  return query
}

const withoutSuffix = (url: string) => url.replace(/\.git$/, '')
