import { type Migration, sql } from 'kysely'

/**
 * Why things are as they are: what asked for a machine's deletion, and how a host's machines fare. The indexes find the
 * newest machines of a host, deleted ones too, and those made alike on other hosts.
 */
export const causes: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE environments ADD COLUMN deletion jsonb;
        ALTER TABLE runners ADD COLUMN health jsonb;
        CREATE INDEX environments_boots ON environments (runner_id, id) WHERE runner_id IS NOT NULL;
        CREATE INDEX environments_configuration ON environments (configuration, id);
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP INDEX environments_boots, environments_configuration;
        ALTER TABLE environments DROP COLUMN deletion;
        ALTER TABLE runners DROP COLUMN health;
      `)
      .execute(database)
  },
}
