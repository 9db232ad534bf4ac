import { type Migration, sql } from 'kysely'

/** Until when a deleted runner's credentials for NATS have to be revoked. */
export const revocableCredentials: Migration = {
  async up(database) {
    await sql
      .raw(`
        -- When the last that was signed for it ends; infinity for an agent that does not renew, null before any was.
        ALTER TABLE runners ADD COLUMN credentials_end_at timestamptz;
        CREATE INDEX runners_revocable ON runners (id)
          WHERE phase = 'deleted' AND credentials_end_at IS NOT NULL;
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE runners DROP COLUMN credentials_end_at').execute(database)
  },
}
