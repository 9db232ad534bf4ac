import type { Updateable } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { nextRevision, sessions } from './queries.ts'
import { type SessionRow, type SessionTable, type StoredSessionStatus, toSession } from './table.ts'

/** What is wanted of a session, under a new specVersion. */
export async function changeSpec(
  tx: DatabaseTransaction,
  row: SessionRow,
  values: Parameters<typeof sessions.changeSpec>[2],
): Promise<SessionRow> {
  const revision = await nextRevision(tx, row.organization_id)
  return told(tx, await sessions.changeSpec(tx, row.id, { ...values, revision }))
}

/** What is seen of it, under a new statusVersion. */
export async function changeStatus(
  tx: DatabaseTransaction,
  row: SessionRow,
  status: StoredSessionStatus,
  columns: Pick<Updateable<SessionTable>, 'phase' | 'phase_since' | 'lease_ends_at'>,
): Promise<SessionRow> {
  const revision = await nextRevision(tx, row.organization_id)
  return told(tx, await sessions.changeStatus(tx, row.id, { ...columns, status, revision }))
}

/** Removes a session; observers are told, under a number of its own. */
export async function forgetSession(tx: DatabaseTransaction, row: SessionRow): Promise<SessionRow> {
  const gone = { ...row, revision: await nextRevision(tx, row.organization_id) }
  await sessions.remove(tx, row.id)
  await recordEvent(tx, 'deleted', toSession(gone))
  return gone
}

async function told(tx: DatabaseTransaction, row: SessionRow): Promise<SessionRow> {
  await recordEvent(tx, 'updated', toSession(row))
  return row
}
