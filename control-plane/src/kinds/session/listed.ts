import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import type { OrganizationScope } from '../../resource/queries.ts'
import type { SessionRow } from './table.ts'

export interface SessionPage {
  rows: SessionRow[]
  /** The number of the last change of the organization's sessions that is in these rows; 0 before the first. */
  revision: number
}

type Found = { current: string | null } & { [Column in keyof SessionRow]: SessionRow[Column] | null }

/**
 * Sessions in the order of their names, after one of them, with the number from which their later changes can be followed.
 * Both are read at one moment.
 */
export async function listByName(
  queryable: Queryable,
  { organizationId }: OrganizationScope,
  { after = '', limit }: { after?: string | undefined; limit: number },
): Promise<SessionPage> {
  const { rows } = await sql<Found>`
    SELECT newest.current, page.*
    FROM (SELECT max(revision) AS current FROM session_revisions WHERE organization_id = ${organizationId}) AS newest
    LEFT JOIN (
      SELECT * FROM sessions
      WHERE organization_id = ${organizationId} AND name COLLATE "C" > ${after}
      ORDER BY name COLLATE "C" LIMIT ${limit}
    ) AS page ON true
    ORDER BY page.name COLLATE "C"`.execute(queryable)
  const found = rows.filter((row) => row.id !== null) as unknown as SessionRow[]
  return { rows: found, revision: Number(rows[0]?.current ?? 0) }
}
