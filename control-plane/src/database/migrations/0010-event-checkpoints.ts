import { type Migration, sql } from 'kysely'

/** What the stream of NATS holds, so that it is noticed when it has forgotten some of that, and from where. */
export const eventCheckpoints: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE event_checkpoints (
          sequence bigint PRIMARY KEY,
          event_id uuid NOT NULL,
          position bigint NOT NULL,
          created_at timestamptz NOT NULL
        )
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE event_checkpoints').execute(database)
  },
}
