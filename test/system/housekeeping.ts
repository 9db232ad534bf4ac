import { eventually } from '@hearth/testing'
import pg from 'pg'
import type { Installation } from './installation.ts'

/** Runs periodic work now; resolves when it is done. */
export async function housekeeping(
  { database }: Pick<Installation, 'database'>,
  when: 'every-minute' | 'hourly' = 'every-minute',
): Promise<void> {
  const sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
  try {
    const { rows } = await sql.query<{ id: string }>('SELECT id FROM graphile_worker.add_job($1)', [
      `housekeeping-${when}`,
    ])
    const waits = 'SELECT 1 FROM graphile_worker.jobs WHERE id = $1'
    await eventually(async () => (await sql.query(waits, [rows[0]?.id])).rowCount === 0, {
      timeoutMilliseconds: 20_000,
    })
  } finally {
    await sql.end()
  }
}
