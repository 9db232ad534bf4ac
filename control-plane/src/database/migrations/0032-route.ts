import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Host names that lead to ports of machines, and who was let in by a ticket. */
export const route: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE routes (
          ${resourceColumns},
          environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
          claim_id uuid,
          runner_id uuid,
          host text UNIQUE,
          phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          desired text NOT NULL CHECK (desired IN ('open', 'delete')),
          ticket_key text NOT NULL,
          signing_key bytea NOT NULL,
          token_hash bytea,
          report_epoch integer NOT NULL DEFAULT 0,
          report_sequence bigint NOT NULL DEFAULT 0,
          UNIQUE (organization_id, name)
        );
        CREATE INDEX routes_of_environment ON routes (environment_id);
        CREATE INDEX routes_of_runner ON routes (runner_id) WHERE runner_id IS NOT NULL;
        CREATE TABLE route_entries (
          route_id uuid NOT NULL REFERENCES routes ON DELETE CASCADE,
          token_id uuid NOT NULL,
          ends_at timestamptz NOT NULL,
          PRIMARY KEY (route_id, token_id)
        );
        ALTER TABLE environments ADD COLUMN has_routes boolean NOT NULL DEFAULT false
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        ALTER TABLE environments DROP COLUMN has_routes;
        DROP TABLE route_entries;
        DROP TABLE routes
      `)
      .execute(database)
  },
}
