import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Tasks and services, and how their runs ended. */
export const processes: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE processes (
          ${resourceColumns},
          kind text NOT NULL CHECK (kind IN ('task', 'service')),
          environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
          runner_id uuid,
          phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          desired text NOT NULL CHECK (desired IN ('run', 'stop', 'delete')),
          request integer NOT NULL DEFAULT 0,
          next_run_at timestamptz,
          report_epoch integer NOT NULL DEFAULT 0,
          report_sequence bigint NOT NULL DEFAULT 0,
          UNIQUE (environment_id, name)
        );
        CREATE INDEX processes_of_organization ON processes (organization_id, kind, id);
        CREATE INDEX processes_of_runner ON processes (runner_id) WHERE runner_id IS NOT NULL;
        CREATE TABLE process_runs (
          process_id uuid NOT NULL REFERENCES processes ON DELETE CASCADE,
          number integer NOT NULL,
          run jsonb NOT NULL,
          PRIMARY KEY (process_id, number)
        );
        ALTER TABLE environments ADD COLUMN has_processes boolean NOT NULL DEFAULT false
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        ALTER TABLE environments DROP COLUMN has_processes;
        DROP TABLE process_runs;
        DROP TABLE processes
      `)
      .execute(database)
  },
}
