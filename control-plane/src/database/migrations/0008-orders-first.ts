import { type Migration, sql } from 'kysely'

/**
 * Orders are announced on a channel of their own as well, so that they need not wait their turn among events. A replica
 * of before listens to the other one for both.
 */
export const ordersFirst: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE FUNCTION hearth_notify_orders() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_notify('hearth_orders', ''); RETURN NULL; END $$;
        CREATE TRIGGER orders_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION hearth_notify_orders();
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw('DROP TRIGGER orders_notify ON outbox; DROP FUNCTION hearth_notify_orders()')
      .execute(database)
  },
}
