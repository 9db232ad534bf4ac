import { type Migration, sql } from 'kysely'
import { resourceColumns } from './resource-columns.ts'

/** What people give to the machines that they claim: each is seen and used by its creator alone. */
export const userSecret: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE user_secrets (${resourceColumns},
          value bytea NOT NULL,
          value_bytes integer NOT NULL,
          UNIQUE (creator, name));
      `)
      .execute(database)
  },
  async down(database) {
    await sql.raw('DROP TABLE user_secrets').execute(database)
  },
}
