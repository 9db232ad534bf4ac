import { type Migration, sql } from 'kysely'

/** Lines of the output of processes that their owners follow. */
export const processJournal: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE process_journal (
          process_id uuid NOT NULL REFERENCES processes ON DELETE CASCADE,
          run integer NOT NULL,
          place bigint NOT NULL,
          text text NOT NULL,
          PRIMARY KEY (process_id, run, place)
        )
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE process_journal').execute(database)
  },
}
