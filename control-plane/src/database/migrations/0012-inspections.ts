import { type Migration, sql } from 'kysely'

/** Machines that an administrator took out of their pool to look into them. */
export const inspections: Migration = {
  async up(database) {
    await sql
      .raw(`
        -- An inspected machine belongs to no pool any more, so that nothing that counts or claims members can see it.
        ALTER TABLE environments ADD COLUMN inspected_pool_id uuid;
        CREATE INDEX environments_pool_inspections ON environments (inspected_pool_id, id)
          WHERE inspected_pool_id IS NOT NULL;
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE environments DROP COLUMN inspected_pool_id').execute(database)
  },
}
