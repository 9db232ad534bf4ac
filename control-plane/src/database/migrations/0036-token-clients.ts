import { type Migration, sql } from 'kysely'

/** With what each token was last used. */
export const tokenClients: Migration = {
  async up(database) {
    await sql.raw('ALTER TABLE tokens ADD COLUMN last_client text').execute(database)
  },
  async down(database) {
    await sql.raw('ALTER TABLE tokens DROP COLUMN last_client').execute(database)
  },
}
