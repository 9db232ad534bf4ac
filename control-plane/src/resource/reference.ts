import { HearthError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../database/connection.ts'

/** A message about a name that several have lists this many of their ids. */
const listed = 5

/**
 * The id of the row that a person means by its name, of a kind of which several may have the same: the live one, else
 * the newest of those that are kept for the record; undefined where no row has the name. Throws `conflict` where several
 * live rows have it.
 */
export async function idNamed(
  queryable: Queryable,
  table: string,
  {
    noun,
    recordPhase,
    only = {},
  }: { noun: string; recordPhase?: string; only?: Readonly<Record<string, string>> },
  organizationId: string,
  name: string,
): Promise<string | undefined> {
  const isRecord = recordPhase === undefined ? sql`false` : sql`phase = ${recordPhase}`
  const others = Object.entries(only).map(([column, value]) => sql`AND ${sql.ref(column)} = ${value}`)
  const { rows } = await sql<{ id: string; is_record: boolean }>`
    SELECT id, ${isRecord} AS is_record FROM ${sql.table(table)}
    WHERE organization_id = ${organizationId} AND name = ${name} ${sql.join(others, sql` `)}
    ORDER BY is_record, id DESC LIMIT ${listed + 1}`.execute(queryable)
  const live = rows.filter((row) => !row.is_record)
  if (live.length > 1) {
    const ids = live.slice(0, listed).map(({ id }) => id)
    const more = live.length > listed ? ' and others' : ''
    throw new HearthError(
      'conflict',
      `several ${noun}s are called ${name}: give the id of the one you mean, ${ids.join(', ')}${more}`,
    )
  }
  return rows[0]?.id
}
