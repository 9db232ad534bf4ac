import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Disks that outlive machines; `environment_id` is the one machine that may have it. */
export const volume: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE volumes (
          ${resourceColumns},
          size_mebibytes integer NOT NULL CHECK (size_mebibytes > 0),
          is_snapshot boolean NOT NULL,
          environment_id uuid REFERENCES environments ON DELETE SET NULL,
          runner_id uuid,
          source_id uuid REFERENCES volumes ON DELETE SET NULL,
          phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          desired text NOT NULL CHECK (desired IN ('present', 'delete')),
          report_epoch integer NOT NULL DEFAULT 0,
          report_sequence bigint NOT NULL DEFAULT 0,
          UNIQUE (organization_id, name),
          CHECK (environment_id IS NULL OR NOT is_snapshot)
        );
        CREATE INDEX volumes_of_environment ON volumes (environment_id) WHERE environment_id IS NOT NULL;
        CREATE INDEX volumes_of_runner ON volumes (runner_id) WHERE runner_id IS NOT NULL;
        CREATE INDEX volumes_from_volume ON volumes (source_id) WHERE source_id IS NOT NULL;
        ALTER TABLE environments ADD COLUMN has_volumes boolean NOT NULL DEFAULT false
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        ALTER TABLE environments DROP COLUMN has_volumes;
        DROP TABLE volumes
      `)
      .execute(database)
  },
}
