import { type Migration, sql } from 'kysely'

/** Uploaded apps, in pieces, and what needs them. */
export const artifact: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE artifacts (
          id uuid PRIMARY KEY,
          organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
          digest text,
          bytes bigint NOT NULL DEFAULT 0,
          files integer NOT NULL DEFAULT 0,
          unpacked_bytes bigint NOT NULL DEFAULT 0,
          configuration jsonb,
          created_at timestamptz NOT NULL DEFAULT now(),
          touched_at timestamptz NOT NULL DEFAULT now(),
          UNIQUE (organization_id, digest));
        CREATE INDEX ON artifacts (touched_at);
        CREATE TABLE artifact_chunks (
          artifact_id uuid NOT NULL REFERENCES artifacts ON DELETE CASCADE,
          number integer NOT NULL,
          content bytea NOT NULL,
          PRIMARY KEY (artifact_id, number));
        -- A ZIP is compressed already.
        ALTER TABLE artifact_chunks ALTER COLUMN content SET STORAGE EXTERNAL;
        CREATE TABLE artifact_holds (
          holder_id uuid NOT NULL,
          artifact_id uuid NOT NULL REFERENCES artifacts,
          PRIMARY KEY (holder_id, artifact_id));
        CREATE INDEX ON artifact_holds (artifact_id)
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE artifact_holds, artifact_chunks, artifacts').execute(database)
  },
}
