import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Sessions, and for each organization how many changes of its sessions there have been. */
export const sessions: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE sessions (${resourceColumns},
          project_id uuid,
          environment_id uuid,
          claim_id uuid,
          phase text NOT NULL,
          desired text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          lease_ends_at timestamptz,
          -- The number of its last change among those of all sessions of the organization.
          revision bigint NOT NULL,
          UNIQUE (organization_id, name));
        CREATE INDEX sessions_of_organization ON sessions (organization_id, id);
        CREATE INDEX sessions_environment ON sessions (environment_id) WHERE phase = 'open';
        CREATE INDEX sessions_claim ON sessions (claim_id) WHERE phase = 'open';
        CREATE INDEX sessions_ended ON sessions (organization_id, phase_since DESC) WHERE phase = 'ended';
        CREATE TABLE session_revisions (
          organization_id uuid PRIMARY KEY,
          revision bigint NOT NULL);
        -- Where in the log of events a reader of sessions goes on.
        CREATE INDEX events_session_revision
          ON events (organization_id, ((resource->'status'->>'revision')::bigint)) WHERE kind = 'Session';
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw('DROP INDEX events_session_revision; DROP TABLE session_revisions; DROP TABLE sessions')
      .execute(database)
  },
}
