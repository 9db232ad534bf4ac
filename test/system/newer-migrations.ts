import { migrations } from '@hearth/control-plane'

/** Migrations of a future version: an additional one, which only adds. */
export const newerMigrations: typeof migrations = {
  ...migrations,
  '9999-later': {
    async up(database) {
      await database.schema.alterTable('claims').addColumn('later', 'text').execute()
      await database.schema.createTable('later').addColumn('id', 'uuid').execute()
    },
  },
}
