import { type Migration, sql } from 'kysely'

/**
 * An order says which kind of work it is of. A replica of before takes one of another kind for an environment that is not
 * there, and drops its row: the runner's next synchronisation tells of it.
 */
export const kindsOfWork: Migration = {
  async up(database) {
    await sql.raw(`ALTER TABLE outbox ADD COLUMN kind text NOT NULL DEFAULT 'environment'`).execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE outbox DROP COLUMN kind').execute(database)
  },
}
