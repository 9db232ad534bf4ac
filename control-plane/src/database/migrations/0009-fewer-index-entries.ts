import { type Migration, sql } from 'kysely'

/**
 * An event is written without a position and gets it in a second write, and each write made an entry in every index. Now
 * only events with a position are in those that are read by position, and none is looked for by its id.
 */
export const fewerIndexEntries: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE events DROP CONSTRAINT events_id_key, DROP CONSTRAINT events_position_key;
        DROP INDEX events_organization;
        CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
        CREATE INDEX events_organization ON events (organization_id, position) WHERE position IS NOT NULL;
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP INDEX events_position, events_organization;
        ALTER TABLE events ADD CONSTRAINT events_id_key UNIQUE (id), ADD CONSTRAINT events_position_key UNIQUE (position);
        CREATE INDEX events_organization ON events (organization_id, position);
      `)
      .execute(database)
  },
}
