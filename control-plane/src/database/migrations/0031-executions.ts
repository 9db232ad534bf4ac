import { type Migration, sql } from 'kysely'

/** Every start of a task that is asked for has an id, and each run says which start it belongs to. */
export const executions: Migration = {
  async up(database) {
    await sql
      .raw(`
        CREATE TABLE task_executions (
          id uuid PRIMARY KEY,
          task_id uuid NOT NULL REFERENCES processes ON DELETE CASCADE,
          request integer NOT NULL,
          asked_at timestamptz NOT NULL DEFAULT now(),
          UNIQUE (task_id, request)
        );
        INSERT INTO task_executions (id, task_id, request, asked_at)
          SELECT gen_random_uuid(), id, request, updated_at FROM processes WHERE kind = 'task' AND request > 0;
        ALTER TABLE process_runs ADD COLUMN request integer
      `)
      .execute(database)
  },
  async down(database) {
    await sql
      .raw('ALTER TABLE process_runs DROP COLUMN request; DROP TABLE task_executions')
      .execute(database)
  },
}
