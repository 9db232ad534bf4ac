import { type Migration, sql } from 'kysely'

/** What is known of how the layer of a holder stands: whether on the image alone, and whether that was asked for. */
export const flattening: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE snapshot_holders
          ADD COLUMN is_flat boolean NOT NULL DEFAULT false,
          ADD COLUMN flattening jsonb;
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw('ALTER TABLE snapshot_holders DROP COLUMN is_flat, DROP COLUMN flattening')
      .execute(database)
  },
}
