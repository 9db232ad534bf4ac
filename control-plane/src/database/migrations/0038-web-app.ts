import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** Web apps with their spaces, and what was deployed to these. */
export const webApp: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE web_apps (
          ${resourceColumns},
          environment_id uuid NOT NULL UNIQUE REFERENCES environments ON DELETE CASCADE,
          phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          desired text NOT NULL CHECK (desired IN ('keep', 'delete')),
          UNIQUE (name)
        );
        CREATE INDEX web_apps_of_organization ON web_apps (organization_id, id);
        CREATE TABLE spaces (
          ${resourceColumns},
          web_app_id uuid NOT NULL REFERENCES web_apps ON DELETE CASCADE,
          environment_id uuid NOT NULL,
          type text NOT NULL CHECK (type IN ('uat', 'production')),
          phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          desired text NOT NULL CHECK (desired IN ('running', 'stopped', 'delete')),
          route_id uuid,
          current_deployment_id uuid,
          UNIQUE (web_app_id, type),
          UNIQUE (organization_id, name)
        );
        CREATE INDEX spaces_of_environment ON spaces (environment_id);
        CREATE TABLE deployments (
          ${resourceColumns},
          space_id uuid NOT NULL REFERENCES spaces ON DELETE CASCADE,
          web_app_id uuid NOT NULL,
          environment_id uuid NOT NULL,
          artifact_id uuid NOT NULL,
          release_id uuid NOT NULL,
          phase text NOT NULL,
          phase_since timestamptz NOT NULL DEFAULT now(),
          deadline timestamptz,
          finished_at timestamptz
        );
        CREATE INDEX deployments_of_organization ON deployments (organization_id, id);
        CREATE INDEX deployments_of_space ON deployments (space_id, id);
        CREATE INDEX deployments_of_artifact ON deployments (artifact_id);
        CREATE INDEX deployments_underway ON deployments (environment_id) WHERE finished_at IS NULL;
        ALTER TABLE environments ADD COLUMN has_web_app boolean NOT NULL DEFAULT false
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        ALTER TABLE environments DROP COLUMN has_web_app;
        DROP TABLE deployments;
        DROP TABLE spaces;
        DROP TABLE web_apps
      `)
      .execute(database)
  },
}
