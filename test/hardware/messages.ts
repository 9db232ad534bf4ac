import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import pg from 'pg'
import type { Installation } from '../system/installation.ts'

export interface StoredMessage {
  subject: string
  text: string
}

/** Every message of every stream, and every row of every table as text. */
export async function everythingIn(
  installation: Installation,
): Promise<{ messages: StoredMessage[]; rows: string[] }> {
  return { messages: await storedMessages(installation), rows: await storedRows(installation.database.url) }
}

export async function storedMessages({ nats }: Installation): Promise<StoredMessage[]> {
  const credentials = new TextEncoder().encode(nats.controlPlaneCredentials)
  const connection = await connect({ servers: nats.url, authenticator: credsAuthenticator(credentials) })
  try {
    const manager = await jetstreamManager(connection)
    const messages: StoredMessage[] = []
    for await (const { config, state } of manager.streams.list()) {
      for (let sequence = state.first_seq; sequence <= state.last_seq; sequence += 1) {
        // Purged messages leave a gap.
        const message = await manager.streams.getMessage(config.name, { seq: sequence })
        if (message === null) continue
        messages.push({
          subject: message.subject,
          text: `${message.header?.toString() ?? ''}${message.string()}`,
        })
      }
    }
    return messages
  } finally {
    await connection.close()
  }
}

async function storedRows(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    )
    const rows: string[] = []
    for (const { name } of tables.rows) {
      const found = await client.query<{ text: string }>(`SELECT each::text AS text FROM ${name} AS each`)
      rows.push(...found.rows.map(({ text }) => text))
    }
    return rows
  } finally {
    await client.end()
  }
}
