import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Pipelines, with the texts of their programs, and how each was at the times that are kept. */
export const pipeline: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE pipelines (
          ${resourceColumns},
          environment_class_id uuid NOT NULL,
          phase text NOT NULL,
          deadline timestamptz,
          resources text NOT NULL,
          desired text NOT NULL CHECK (desired IN ('stopped', 'provisioned')),
          runtime text,
          desired_runtime text,
          program text NOT NULL,
          storage text NOT NULL,
          code text NOT NULL,
          udf_rust text NOT NULL,
          udf_toml text NOT NULL,
          event_sequence bigint NOT NULL DEFAULT 0,
          event_at timestamptz,
          has_unrecorded boolean NOT NULL DEFAULT false,
          UNIQUE (organization_id, name)
        );
        CREATE INDEX pipelines_of_class ON pipelines (environment_class_id);
        CREATE INDEX pipelines_recorded ON pipelines (event_at);
        CREATE TABLE pipeline_events (
          pipeline_id uuid NOT NULL REFERENCES pipelines ON DELETE CASCADE,
          sequence bigint NOT NULL,
          id uuid NOT NULL,
          recorded_at timestamptz NOT NULL,
          statuses jsonb NOT NULL,
          details jsonb NOT NULL,
          PRIMARY KEY (pipeline_id, sequence),
          UNIQUE (pipeline_id, id)
        )
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE pipeline_events; DROP TABLE pipelines').execute(database)
  },
}
