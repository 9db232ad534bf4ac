import { type Migration, sql } from 'kysely'

/** What NATS last said it had stored, so that it is noticed when it has forgotten some of that. */
export const publishedSequence: Migration = {
  async up(database) {
    await sql.raw('ALTER TABLE event_publication ADD COLUMN sequence bigint').execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE event_publication DROP COLUMN sequence').execute(database)
  },
}
