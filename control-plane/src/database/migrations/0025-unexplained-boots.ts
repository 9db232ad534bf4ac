import { type Migration, sql } from 'kysely'

/** How many machines in a row did not answer that started from a prebuild, while it may be their hosts' doing. */
export const unexplainedBoots: Migration = {
  async up(database) {
    await sql
      .raw('ALTER TABLE prebuilds ADD COLUMN unexplained_boots integer NOT NULL DEFAULT 0')
      .execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE prebuilds DROP COLUMN unexplained_boots').execute(database)
  },
}
