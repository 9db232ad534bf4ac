import { type Migration, sql } from 'kysely'

/** Test boots of pools, pools that were cleared, and an index on how boots ended. */
export const poolTests: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE environments
          -- A test boot belongs to no pool, so that nothing that counts or claims members can see it.
          ADD COLUMN tested_pool_id uuid,
          ADD COLUMN keep_seconds integer,
          ADD COLUMN remove_at timestamptz,
          ADD COLUMN boot_ended_at timestamptz;
        UPDATE environments SET boot_ended_at = coalesce(status->>'readyAt', status->>'failedAt')::timestamptz
          WHERE warm_pool_id IS NOT NULL;
        CREATE INDEX environments_pool_tests ON environments (tested_pool_id, id) WHERE tested_pool_id IS NOT NULL;
        CREATE INDEX environments_pool_boots ON environments (warm_pool_id, boot_ended_at DESC)
          WHERE boot_ended_at IS NOT NULL;
        ALTER TABLE warm_pools
          ADD COLUMN cleared boolean NOT NULL DEFAULT false,
          ADD COLUMN configuration text,
          ADD COLUMN boots_since timestamptz;
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        ALTER TABLE warm_pools DROP COLUMN cleared, DROP COLUMN configuration, DROP COLUMN boots_since;
        ALTER TABLE environments DROP COLUMN tested_pool_id, DROP COLUMN keep_seconds, DROP COLUMN remove_at,
          DROP COLUMN boot_ended_at;
      `)
      .execute(database)
  },
}
