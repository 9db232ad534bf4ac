import { Client } from 'pg'
import { superuser } from './cluster.ts'

export interface Access {
  port: number
  password: string
}

export function databaseUrl({ port, password }: Access, database: string): string {
  return `postgresql://${superuser}:${password}@127.0.0.1:${port}/${database}`
}

/** Throws unless the server lets us in and answers. */
export async function checkAnswers(access: Access): Promise<void> {
  await withClient(access, async (client) => {
    await client.query('select 1')
  })
}

export async function ensureDatabase(access: Access, name: string): Promise<void> {
  await withClient(access, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  })
}

async function withClient(access: Access, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl(access, 'postgres'),
    connectionTimeoutMillis: 5_000,
  })
  // Without a listener a connection the server cuts ends this process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
