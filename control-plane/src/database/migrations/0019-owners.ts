import { type Migration, sql } from 'kysely'

/**
 * Who owns an environment stands in two columns whatever owns it, in place of a column for each way in which a pool may.
 * A replica of before goes on reading and writing the three old columns: a trigger keeps both ways of saying it in step
 * until a later release takes the old columns away, with their indexes and with the trigger.
 */
export const owners: Migration = {
  async up(database) {
    await sql
      .raw(`
        ALTER TABLE environments ADD COLUMN owner_kind text, ADD COLUMN owner_id uuid;
        UPDATE environments
          SET owner_id = coalesce(warm_pool_id, tested_pool_id, inspected_pool_id),
            owner_kind = CASE WHEN warm_pool_id IS NOT NULL THEN 'warm-pool'
              WHEN tested_pool_id IS NOT NULL THEN 'warm-pool-test' ELSE 'warm-pool-inspection' END
          WHERE coalesce(warm_pool_id, tested_pool_id, inspected_pool_id) IS NOT NULL;
        CREATE FUNCTION hearth_environment_owner() RETURNS trigger LANGUAGE plpgsql AS $$
          DECLARE
            says_owner boolean := NEW.owner_kind IS NOT NULL;
          BEGIN
            IF TG_OP = 'UPDATE' THEN
              says_owner := (NEW.owner_kind, NEW.owner_id) IS DISTINCT FROM (OLD.owner_kind, OLD.owner_id);
            END IF;
            IF says_owner THEN
              NEW.warm_pool_id := CASE WHEN NEW.owner_kind = 'warm-pool' THEN NEW.owner_id END;
              NEW.tested_pool_id := CASE WHEN NEW.owner_kind = 'warm-pool-test' THEN NEW.owner_id END;
              NEW.inspected_pool_id := CASE WHEN NEW.owner_kind = 'warm-pool-inspection' THEN NEW.owner_id END;
            ELSE
              NEW.owner_id := coalesce(NEW.warm_pool_id, NEW.tested_pool_id, NEW.inspected_pool_id);
              NEW.owner_kind := CASE WHEN NEW.warm_pool_id IS NOT NULL THEN 'warm-pool'
                WHEN NEW.tested_pool_id IS NOT NULL THEN 'warm-pool-test'
                WHEN NEW.inspected_pool_id IS NOT NULL THEN 'warm-pool-inspection' END;
            END IF;
            RETURN NEW;
          END $$;
        -- Only where an owner is written: what claims and reports change costs nothing more.
        CREATE TRIGGER environments_owner BEFORE INSERT
          OR UPDATE OF owner_kind, owner_id, warm_pool_id, tested_pool_id, inspected_pool_id
          ON environments FOR EACH ROW EXECUTE FUNCTION hearth_environment_owner();
        -- The statement of a claim.
        CREATE INDEX environments_claimable_owned ON environments (owner_id, id)
          WHERE owner_kind = 'warm-pool' AND claim_id IS NULL AND phase = 'running' AND desired_phase = 'running'
            AND NOT unreachable;
        -- What an owner has, and counts.
        CREATE INDEX environments_owned ON environments (owner_id, id) WHERE phase <> 'deleted';
        -- How the latest of those that were made alike ended their boot, deleted ones too.
        CREATE INDEX environments_owned_alike ON environments (owner_id, configuration, boot_ended_at DESC)
          WHERE owner_id IS NOT NULL;
        -- So that a claim makes no more index entries than before. A replica of before finds the boots that these two were
        -- for by their configuration.
        DROP INDEX environments_made_alike, environments_pool_boots;
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(`
        DROP TRIGGER environments_owner ON environments;
        DROP FUNCTION hearth_environment_owner;
        ALTER TABLE environments DROP COLUMN owner_kind, DROP COLUMN owner_id;
        CREATE INDEX environments_made_alike ON environments (warm_pool_id, configuration);
        CREATE INDEX environments_pool_boots ON environments (warm_pool_id, boot_ended_at DESC)
          WHERE boot_ended_at IS NOT NULL;
      `)
      .execute(database)
  },
}
