import { type Migration, sql } from 'kysely'

/** Whose machines are whose, so that those of an organization and of each member of it are counted before one is added. */
export const quotas: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE environments ADD COLUMN holder_id uuid;
        UPDATE environments SET holder_id = coalesce(
            (SELECT creator FROM claims WHERE claims.id = environments.claim_id), environments.creator)
          WHERE phase <> 'deleted';
        CREATE INDEX environments_holder ON environments (holder_id)
          WHERE holder_id IS NOT NULL AND phase <> 'deleted';
        CREATE INDEX environments_counted ON environments (organization_id) WHERE phase <> 'deleted';
        CREATE INDEX warm_pools_organization ON warm_pools (organization_id);
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP INDEX warm_pools_organization, environments_counted;
        ALTER TABLE environments DROP COLUMN holder_id;
      `)
      .execute(database)
  },
}
