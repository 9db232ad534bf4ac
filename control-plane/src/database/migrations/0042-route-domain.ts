import { type Migration, sql } from 'kysely'

/** A host name of one's own is one route's in the whole installation, until that is deleted. */
export const routeDomain: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE UNIQUE INDEX routes_custom_domain ON routes ((spec->>'customDomain'))
          WHERE desired = 'open' AND spec->>'customDomain' IS NOT NULL
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP INDEX routes_custom_domain').execute(database)
  },
}
