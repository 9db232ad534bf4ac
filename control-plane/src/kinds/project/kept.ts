import { projectCreateSchema } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { recordEvent } from '../../resource/record.ts'
import { storedSpec } from './commands.ts'
import { projects } from './queries.ts'
import { type ProjectRow, toProject } from './table.ts'

/**
 * The project of machines that are of no project of anybody's, made when it is asked for first. It counts for no quota, since
 * nobody asked for it.
 */
export async function keptProject(
  tx: DatabaseTransaction,
  organizationId: string,
  name: string,
): Promise<ProjectRow> {
  const known = await projects.find(tx, { organizationId }, name)
  if (known !== undefined) return known
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.keptProjects}, hashtext(${`${organizationId} ${name}`}))`.execute(
    tx,
  )
  const made = await projects.find(tx, { organizationId }, name)
  if (made !== undefined) return made
  const { labels, spec } = projectCreateSchema.parse({ name })
  const row = await projects.insert(tx, {
    ...{ organizationId, creator: null, name, labels },
    spec: storedSpec(spec),
  })
  await recordEvent(tx, 'created', toProject(row))
  return row
}
