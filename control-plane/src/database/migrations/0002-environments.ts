import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** What: classes, projects, pools, environments, claims and the jobs that tell of them. */
export const environments: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE environment_classes (${resourceColumns}, UNIQUE (organization_id, name));
        CREATE TABLE projects (
          ${resourceColumns},
          phase text NOT NULL DEFAULT 'active',
          UNIQUE (organization_id, name)
        );
        CREATE TABLE project_secrets (
          project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
          name text NOT NULL,
          value bytea NOT NULL,
          PRIMARY KEY (project_id, name)
        );
        CREATE TABLE warm_pools (
          ${resourceColumns},
          project_id uuid NOT NULL REFERENCES projects,
          environment_class_id uuid NOT NULL REFERENCES environment_classes,
          phase text NOT NULL,
          UNIQUE (project_id, environment_class_id)
        );
        CREATE TABLE environments (
          ${resourceColumns},
          project_id uuid NOT NULL,
          environment_class_id uuid NOT NULL,
          warm_pool_id uuid,
          runner_id uuid REFERENCES runners,
          claim_id uuid,
          phase text NOT NULL,
          desired_phase text NOT NULL,
          unreachable boolean NOT NULL DEFAULT false,
          deadline timestamptz,
          phase_since timestamptz NOT NULL DEFAULT now(),
          configuration text NOT NULL,
          report_epoch integer NOT NULL DEFAULT 0,
          report_sequence bigint NOT NULL DEFAULT 0,
          -- What placement sums up, so that it reads an index and no documents.
          virtual_cpus integer GENERATED ALWAYS AS ((spec->'plan'->>'virtualCpus')::integer) STORED,
          memory_mebibytes integer GENERATED ALWAYS AS ((spec->'plan'->>'memoryMebibytes')::integer) STORED,
          disk_gibibytes integer GENERATED ALWAYS AS ((spec->'plan'->>'diskGibibytes')::integer) STORED
        );
        CREATE INDEX environments_organization ON environments (organization_id, id);
        CREATE INDEX environments_runner ON environments (runner_id)
          INCLUDE (virtual_cpus, memory_mebibytes, disk_gibibytes) WHERE phase <> 'deleted';
        CREATE INDEX environments_project ON environments (project_id) WHERE phase <> 'deleted';
        CREATE INDEX environments_pool ON environments (warm_pool_id) WHERE phase <> 'deleted';
        CREATE INDEX environments_pending ON environments (organization_id, id) WHERE phase = 'pending';
        CREATE INDEX environments_claimable ON environments (warm_pool_id, id)
          WHERE claim_id IS NULL AND phase = 'running' AND desired_phase = 'running' AND NOT unreachable;
        CREATE TABLE claims (
          ${resourceColumns},
          warm_pool_id uuid NOT NULL,
          environment_id uuid,
          phase text NOT NULL
        );
        CREATE INDEX claims_organization ON claims (organization_id, id);
        CREATE UNIQUE INDEX claims_environment ON claims (environment_id) WHERE phase <> 'released';
        CREATE TABLE jobs (
          id uuid PRIMARY KEY,
          organization_id uuid NOT NULL,
          operation text NOT NULL,
          resource_kind text NOT NULL,
          resource_id uuid NOT NULL,
          phase text NOT NULL,
          log jsonb NOT NULL DEFAULT '[]',
          failure jsonb,
          created_at timestamptz NOT NULL DEFAULT now(),
          finished_at timestamptz
        );
        CREATE INDEX jobs_organization ON jobs (organization_id, id);
        CREATE INDEX jobs_resource ON jobs (resource_id, id);
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(
        'DROP TABLE jobs, claims, environments, warm_pools, project_secrets, projects, environment_classes',
      )
      .execute(database)
  },
}
