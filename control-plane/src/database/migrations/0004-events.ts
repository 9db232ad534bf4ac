import { type Migration, sql } from 'kysely'

/** Who reads events from NATS and from which stream, and who sent the requests whose answers are kept. */
export const events: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE observers (
          id uuid PRIMARY KEY,
          organization_id uuid NOT NULL REFERENCES organizations,
          creator uuid NOT NULL REFERENCES principals,
          name text NOT NULL,
          unacknowledged integer NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now(),
          expires_at timestamptz NOT NULL
        );
        CREATE INDEX observers_organization ON observers (organization_id, id);
        ALTER TABLE idempotency_keys ADD COLUMN principal_id uuid;
        ALTER TABLE event_publication ADD COLUMN stream text;
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(
        'ALTER TABLE event_publication DROP COLUMN stream; ALTER TABLE idempotency_keys DROP COLUMN principal_id; DROP TABLE observers',
      )
      .execute(database)
  },
}
