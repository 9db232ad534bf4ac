import { type Migration, sql } from 'kysely'

/** The secret variables of claims; what else a claim asks to be bound is in its spec. */
export const lateBinding: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE claim_secrets (
          claim_id uuid NOT NULL REFERENCES claims ON DELETE CASCADE,
          name text NOT NULL,
          value bytea NOT NULL,
          PRIMARY KEY (claim_id, name)
        )
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE claim_secrets').execute(database)
  },
}
