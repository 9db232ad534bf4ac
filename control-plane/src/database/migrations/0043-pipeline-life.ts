import { type Migration, sql } from 'kysely'

/** What a pipeline has, and what its reconciler has to know. */
export const pipelineLife: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE pipelines
          ADD COLUMN environment_id uuid,
          ADD COLUMN snapshot_id uuid,
          ADD COLUMN volume_id uuid,
          ADD COLUMN work jsonb NOT NULL DEFAULT '{
            "journal": null, "told": null, "isApproved": false, "tasks": [], "waitsFor": null,
            "bootstrap": {"silentBootstrap": false, "concurrentBootstrap": false}
          }';
        CREATE INDEX pipelines_of_snapshot ON pipelines (snapshot_id) WHERE snapshot_id IS NOT NULL;
        CREATE INDEX pipelines_unsettled ON pipelines (id) WHERE program = 'pending' OR storage = 'clearing'
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP INDEX pipelines_unsettled;
        DROP INDEX pipelines_of_snapshot;
        ALTER TABLE pipelines DROP COLUMN environment_id, DROP COLUMN snapshot_id, DROP COLUMN volume_id,
          DROP COLUMN work
      `)
      .execute(database)
  },
}
