import { type Migration, sql } from 'kysely'

/**
 * Machines whose guest stands still. No index changes: so few are paused that a claim finds them by the index it has and
 * passes over them.
 */
export const pausedMachines: Migration = {
  async up(database) {
    await sql.raw('ALTER TABLE environments ADD COLUMN paused jsonb').execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE environments DROP COLUMN paused').execute(database)
  },
}
