import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Who: organizations, principals and their tokens, and the runners. */
export const access: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE organizations (
          ${resourceColumns},
          certificate_authority_key bytea NOT NULL,
          UNIQUE (name)
        );
        CREATE TABLE principals (
          id uuid PRIMARY KEY,
          organization_id uuid NOT NULL REFERENCES organizations,
          kind text NOT NULL,
          name text NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE runners (
          ${resourceColumns},
          phase text NOT NULL,
          epoch integer NOT NULL DEFAULT 0,
          last_seen_at timestamptz,
          deleted_at timestamptz
        );
        CREATE UNIQUE INDEX runners_name ON runners (organization_id, name) WHERE deleted_at IS NULL;
        CREATE TABLE tokens (
          id uuid PRIMARY KEY,
          organization_id uuid NOT NULL REFERENCES organizations,
          principal_id uuid NOT NULL REFERENCES principals,
          runner_id uuid REFERENCES runners,
          name text NOT NULL,
          roles text[] NOT NULL,
          secret_hash bytea NOT NULL UNIQUE,
          created_at timestamptz NOT NULL DEFAULT now(),
          expires_at timestamptz,
          last_used_at timestamptz
        );
        CREATE INDEX tokens_organization ON tokens (organization_id, id);
        CREATE FUNCTION hearth_notify_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_notify('hearth_tokens', ''); RETURN NULL; END $$;
        CREATE TRIGGER tokens_notify AFTER DELETE OR UPDATE OF roles, expires_at, secret_hash ON tokens
          FOR EACH STATEMENT EXECUTE FUNCTION hearth_notify_tokens();
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw('DROP TABLE tokens, runners, principals, organizations; DROP FUNCTION hearth_notify_tokens')
      .execute(database)
  },
}
