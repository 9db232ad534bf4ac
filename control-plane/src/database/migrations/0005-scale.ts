import { type Migration, sql } from 'kysely'

/** So that what a machine or a runner reports costs the same however many there are. */
export const scale: Migration = {
  async up(database) {
    await sql
      .raw(`
        -- A pool looks at how its latest boots ended, deleted machines too: without this at every machine there is.
        CREATE INDEX environments_made_alike ON environments (warm_pool_id, configuration);
        -- Rows that change all the time find room for the next version in their page, and no index is touched.
        ALTER TABLE environments SET (fillfactor = 60);
        ALTER TABLE runners SET (fillfactor = 50);
        ALTER TABLE jobs SET (fillfactor = 70);
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP INDEX environments_made_alike;
        ALTER TABLE environments RESET (fillfactor);
        ALTER TABLE runners RESET (fillfactor);
        ALTER TABLE jobs RESET (fillfactor);
      `)
      .execute(database)
  },
}
