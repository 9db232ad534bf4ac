import { type Migration, sql } from 'kysely'

/** What the host of a machine has to have for what the machine is made for. */
export const machineNeeds: Migration = {
  async up(database) {
    await sql.raw('ALTER TABLE environments ADD COLUMN needs jsonb').execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE environments DROP COLUMN needs').execute(database)
  },
}
