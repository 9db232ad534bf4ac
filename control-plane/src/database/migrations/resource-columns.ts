/** What every kind's table has, as SQL. */
export const resourceColumns = `
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  creator uuid,
  labels jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  spec jsonb NOT NULL,
  spec_version integer NOT NULL DEFAULT 1,
  status jsonb NOT NULL,
  status_version integer NOT NULL DEFAULT 1`
