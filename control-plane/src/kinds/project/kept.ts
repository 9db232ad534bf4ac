import { projectCreateSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { recordEvent } from '../../resource/record.ts'
import { storedSpec } from './commands.ts'
import { projects } from './queries.ts'
import { type ProjectRow, toProject } from './table.ts'

/**
 * The project of machines that are of no project of anybody's, made when it is asked for first. It counts for no quota, since
 * nobody asked for it. It is known by its mark: somebody's own project may have its name.
 */
export async function keptProject(
  tx: DatabaseTransaction,
  organizationId: string,
  keptFor: string,
): Promise<ProjectRow> {
  const known = await find(tx, organizationId, keptFor)
  if (known !== undefined) return known
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.keptProjects}, hashtext(${`${organizationId} ${keptFor}`}))`.execute(
    tx,
  )
  const made = await find(tx, organizationId, keptFor)
  if (made !== undefined) return made
  const id = newId()
  const isTaken = (await projects.find(tx, { organizationId }, keptFor)) !== undefined
  const name = isTaken ? `${keptFor}-${id.slice(-12)}` : keptFor
  const { labels, spec } = projectCreateSchema.parse({ name })
  const row = await projects.insert(
    tx,
    { ...{ id, organizationId, creator: null, name, labels }, spec: storedSpec(spec) },
    { kept_for: keptFor },
  )
  await recordEvent(tx, 'created', toProject(row))
  return row
}

const find = (queryable: Queryable, organizationId: string, keptFor: string) =>
  queryable
    .selectFrom('projects')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('kept_for', '=', keptFor)
    .executeTakeFirst()
