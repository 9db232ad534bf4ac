import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Snapshots, the runners that hold them, and the snapshots that environments start from. */
export const snapshot: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE snapshots (${resourceColumns},
          project_id uuid NOT NULL,
          environment_id uuid,
          claim_id uuid,
          parent_id uuid,
          -- Who may start from it beside administrators; null for everybody who may start machines.
          holder_id uuid,
          purpose text NOT NULL,
          phase text NOT NULL,
          desired_phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          deletion jsonb);
        CREATE INDEX snapshots_organization ON snapshots (organization_id, id);
        CREATE INDEX snapshots_name ON snapshots (organization_id, name);
        CREATE INDEX snapshots_environment ON snapshots (environment_id);
        CREATE INDEX snapshots_project ON snapshots (project_id) WHERE phase <> 'deleted';
        CREATE INDEX snapshots_parent ON snapshots (parent_id) WHERE phase <> 'deleted';
        CREATE TABLE snapshot_holders (
          snapshot_id uuid NOT NULL REFERENCES snapshots ON DELETE CASCADE,
          runner_id uuid NOT NULL REFERENCES runners,
          organization_id uuid NOT NULL,
          phase text NOT NULL,
          source jsonb NOT NULL,
          progress jsonb,
          kept_by jsonb NOT NULL DEFAULT '[]',
          failure jsonb,
          report_epoch integer NOT NULL DEFAULT 0,
          report_sequence bigint NOT NULL DEFAULT 0,
          PRIMARY KEY (snapshot_id, runner_id));
        CREATE INDEX snapshot_holders_runner ON snapshot_holders (runner_id);
        ALTER TABLE environments ADD COLUMN source jsonb, ADD COLUMN source_snapshot_id uuid;
        CREATE INDEX environments_source ON environments (source_snapshot_id)
          WHERE source_snapshot_id IS NOT NULL AND phase <> 'deleted';
        -- The kinds of work that the runner's agent said it knows; null until it has said so.
        ALTER TABLE runners ADD COLUMN work_kinds jsonb;
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        ALTER TABLE runners DROP COLUMN work_kinds;
        ALTER TABLE environments DROP COLUMN source, DROP COLUMN source_snapshot_id;
        DROP TABLE snapshot_holders, snapshots;
      `)
      .execute(database)
  },
}
