import { type Migration, sql } from 'kysely'

/** A claim is found by its name, and released claims are kept: without an index each such request reads all of them. */
export const claimsByName: Migration = {
  async up(database) {
    await sql.raw('CREATE INDEX claims_name ON claims (organization_id, name)').execute(database)
  },
  async down(database) {
    await sql.raw('DROP INDEX claims_name').execute(database)
  },
}
