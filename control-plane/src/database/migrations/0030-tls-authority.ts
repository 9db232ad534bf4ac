import { type Migration, sql } from 'kysely'

/** Who signs the certificates with which control planes serve HTTPS. */
export const tlsAuthority: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE tls_authority (
          singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
          certificate text NOT NULL,
          -- Encrypted.
          private_key bytea NOT NULL,
          ends_at timestamptz NOT NULL);
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE tls_authority').execute(database)
  },
}
