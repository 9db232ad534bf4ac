import { type Migration, sql } from 'kysely'

/** How many environments a pool wants and what that is reckoned from; and the claims that it had to refuse. */
export const poolDemand: Migration = {
  async up(database) {
    await sql
      .raw(`
        -- Sizes and counted claims of pools that follow them; null for others.
        ALTER TABLE warm_pools ADD COLUMN scaling jsonb;
        CREATE INDEX claims_demand ON claims (warm_pool_id, created_at);
        CREATE TABLE warm_pool_refusals (
          warm_pool_id uuid NOT NULL REFERENCES warm_pools ON DELETE CASCADE,
          -- Beginning of the span of time in which the claims were refused.
          span timestamptz NOT NULL,
          claims integer NOT NULL,
          PRIMARY KEY (warm_pool_id, span));
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP TABLE warm_pool_refusals;
        DROP INDEX claims_demand;
        ALTER TABLE warm_pools DROP COLUMN scaling;
      `)
      .execute(database)
  },
}
