import pg from 'pg'
import type { Target } from './campaign.ts'

/** What only requests change: without observed states of machines, and without the time a token was last used. */
const tables: Readonly<Record<string, readonly string[]>> = {
  organizations: [],
  principals: [],
  tokens: ['last_used_at'],
  environment_classes: [],
  projects: ['status', 'status_version', 'updated_at'],
  project_secrets: [],
  warm_pools: ['status', 'status_version', 'updated_at', 'retry_at'],
  claims: ['status', 'status_version', 'updated_at', 'phase', 'environment_id'],
  observers: [],
  sessions: ['status', 'status_version', 'updated_at', 'phase', 'phase_since', 'lease_ends_at', 'revision'],
  runners: ['status', 'status_version', 'updated_at', 'phase', 'last_seen_at'],
  idempotency_keys: [],
}

/** An accepted deletion is carried out bit by bit, while later requests are refused. */
const goInSteps: ReadonlySet<string> = new Set(['projects', 'warm_pools'])

interface Installed {
  url: string
  token: string
  databaseUrl: string
}

/** The first organization of an installation, with tokens of three roles and an invalid one. */
export async function fuzzTarget({ url, token, databaseUrl }: Installed): Promise<Target & AsyncDisposable> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  const made = await Promise.all(['member', 'viewer', 'join'].map((role) => newToken(url, token, role)))
  return {
    url,
    tokens: [token, token, ...made, 'hearth_odd'],
    async records() {
      const read = Object.entries(tables).map(async ([table, volatile]) => {
        const { rows } = await pool.query<{ shown: string }>(
          `SELECT (to_jsonb(t) - $1::text[])::text AS shown FROM ${table} AS t
           WHERE NOT ($2 AND to_jsonb(t) ->> 'phase' = 'deleting')`,
          [volatile, goInSteps.has(table)],
        )
        return rows.map(({ shown }) => `${table} ${shown}`)
      })
      return new Set((await Promise.all(read)).flat())
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

async function newToken(url: string, token: string, role: string): Promise<string> {
  return (await post(url, token, '/v1/tokens', { name: `fuzz-${role}`, roles: [role] })).secret ?? ''
}

/** The token of another organization's administrator. */
export async function newBystander(url: string, token: string): Promise<string> {
  const spec = { displayName: 'Bystander' }
  return (await post(url, token, '/v1/organizations', { name: 'bystander', spec })).token ?? ''
}

async function post(url: string, token: string, path: string, body: object) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as { secret?: string; token?: string }
}
