import type { JournalLine } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'

/** Where a line is: after every line of an earlier run. */
export type JournalPlace = Pick<JournalLine, 'run' | 'offset'>

/** Lines kept of each process. Whoever follows one reads them within moments. */
const mostLines = 256

/**
 * Keeps the lines that are newer than all that is kept; true when there is one. Reports repeat lines, and come again after
 * a restart: an older line is one that is known.
 */
export async function writeJournal(
  tx: DatabaseTransaction,
  processId: string,
  lines: readonly JournalLine[],
): Promise<boolean> {
  if (lines.length === 0) return false
  const { numAffectedRows = 0n } = await sql`
    INSERT INTO process_journal (process_id, run, place, text)
    SELECT ${processId}, line.run, line."offset", line.text
    FROM jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) AS line(run integer, "offset" bigint, text text)
    WHERE NOT EXISTS (SELECT FROM process_journal AS kept
      WHERE kept.process_id = ${processId} AND (kept.run, kept.place) >= (line.run, line."offset"))
    ON CONFLICT DO NOTHING`.execute(tx)
  if (numAffectedRows === 0n) return false
  await sql`
    DELETE FROM process_journal WHERE process_id = ${processId} AND (run, place) <= (
      SELECT run, place FROM process_journal WHERE process_id = ${processId}
      ORDER BY run DESC, place DESC OFFSET ${mostLines} LIMIT 1)`.execute(tx)
  return true
}

/** The lines after one, in order. */
export async function readJournal(
  queryable: Queryable,
  processId: string,
  { run, offset }: JournalPlace,
): Promise<JournalLine[]> {
  const { rows } = await sql<{ run: number; place: string; text: string }>`
    SELECT run, place, text FROM process_journal
    WHERE process_id = ${processId} AND (run, place) > (${run}, ${offset}::bigint)
    ORDER BY run, place`.execute(queryable)
  return rows.map(({ place, ...line }) => ({ ...line, offset: Number(place) }))
}
