import { type Migration, sql } from 'kysely'

/**
 * What leaves: events, orders, and the answers kept for repeated requests.
 * An event gets its position after its transaction has committed, from the one sequencer: a number drawn inside the
 * transaction could become visible after a later one, and a reader would skip it.
 */
export const delivery: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE events (
          sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          id uuid NOT NULL UNIQUE,
          position bigint UNIQUE,
          organization_id uuid NOT NULL,
          verb text NOT NULL,
          kind text NOT NULL,
          resource_id uuid NOT NULL,
          spec_version integer,
          status_version integer,
          time timestamptz NOT NULL DEFAULT now(),
          resource jsonb NOT NULL
        );
        CREATE INDEX events_unplaced ON events (sequence) WHERE position IS NULL;
        CREATE INDEX events_organization ON events (organization_id, position);
        -- One row: everything up to this position has been published.
        CREATE TABLE event_publication (
          singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
          position bigint NOT NULL
        );
        INSERT INTO event_publication (position) VALUES (0);
        CREATE TABLE outbox (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          topic text NOT NULL,
          runner_id uuid NOT NULL,
          environment_id uuid NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE idempotency_keys (
          organization_id uuid NOT NULL,
          key text NOT NULL,
          request_hash bytea NOT NULL,
          status integer,
          body bytea,
          created_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (organization_id, key)
        );
        CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
        CREATE FUNCTION hearth_notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_notify('hearth_outbox', ''); RETURN NULL; END $$;
        CREATE TRIGGER events_notify AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION hearth_notify_outbox();
        CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION hearth_notify_outbox();
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw(
        'DROP TABLE idempotency_keys, outbox, event_publication, events; DROP FUNCTION hearth_notify_outbox',
      )
      .execute(database)
  },
}
