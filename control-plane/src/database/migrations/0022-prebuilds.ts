import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Prebuilds, their kept logs, when the next ones are due, and which pushes were already told of. */
export const prebuilds: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE prebuilds (${resourceColumns},
          project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
          environment_class_id uuid NOT NULL,
          phase text NOT NULL,
          desired_phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          started_at timestamptz,
          ended_at timestamptz,
          -- The machine that it is built on, and the snapshot of its disk.
          environment_id uuid,
          snapshot_id uuid,
          based_on_id uuid,
          -- Fingerprint of what is built: machines of the same may start from it.
          configuration text NOT NULL,
          failed_boots integer NOT NULL DEFAULT 0,
          log_kept boolean NOT NULL DEFAULT false);
        -- Those of one project and class, the newest first: whose turn it is, and what machines start from.
        CREATE INDEX prebuilds_of_project ON prebuilds (project_id, environment_class_id, id DESC);
        CREATE INDEX prebuilds_of_organization ON prebuilds (organization_id, id);
        CREATE INDEX prebuilds_unkept_logs ON prebuilds (ended_at) WHERE ended_at IS NOT NULL AND NOT log_kept;
        CREATE TABLE prebuild_logs (
          prebuild_id uuid NOT NULL REFERENCES prebuilds ON DELETE CASCADE,
          position integer NOT NULL,
          text text NOT NULL,
          PRIMARY KEY (prebuild_id, position));
        CREATE TABLE prebuild_schedules (
          project_id uuid PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
          -- What next_at was reckoned from: with another one it is reckoned anew.
          schedule jsonb NOT NULL,
          next_at timestamptz);
        CREATE TABLE prebuild_deliveries (
          project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
          delivery text NOT NULL,
          received_at timestamptz NOT NULL,
          PRIMARY KEY (project_id, delivery));
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw('DROP TABLE prebuild_deliveries, prebuild_schedules, prebuild_logs, prebuilds')
      .execute(database)
  },
}
