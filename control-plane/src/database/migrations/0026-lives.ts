import { type Migration, sql } from 'kysely'

/** When a machine ends that somebody has, and what is known of its use; null for one that has no end. */
export const lives: Migration = {
  async up(database) {
    await sql.raw('ALTER TABLE environments ADD COLUMN life jsonb').execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE environments DROP COLUMN life').execute(database)
  },
}
