import { type Migration, sql } from 'kysely'

/** Projects that Hearth keeps for a kind of its own are known by a mark: their name may be anybody's. */
export const keptProjects: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE projects ADD COLUMN kept_for text;
        UPDATE projects SET kept_for = name
          WHERE name = 'pipelines' AND creator IS NULL AND (spec->'setup')::text = '[]'
            AND (spec->'repositories')::text = '[]' AND (spec->'variables')::text = '{}'
            AND (spec->'secretNames')::text = '[]';
        CREATE UNIQUE INDEX projects_kept_for ON projects (organization_id, kept_for) WHERE kept_for IS NOT NULL
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP INDEX projects_kept_for; ALTER TABLE projects DROP COLUMN kept_for').execute(database)
  },
}
