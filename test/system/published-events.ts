import { streams } from '@hearth/contract'
import { jetstream } from '@nats-io/jetstream'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import type { Client } from 'pg'
import { expect } from 'vitest'
import type { Replicas } from './replicas.ts'

/** Waits until the stream holds every event of the table, each once and those of each resource in order. */
export async function expectAllPublished({ nats }: Replicas, database: Client): Promise<void> {
  const none = { missing: [], foreign: [], repeated: 0, outOfOrder: [] }
  // Events may be written meanwhile: an unchanged table at the end means that all were compared.
  await expect.poll(() => differences(nats, database), { timeout: 30_000, interval: 500 }).toEqual(none)
}

async function differences(nats: Replicas['nats'], database: Client) {
  const published = await publishedIds(nats)
  const { rows } = await database.query<{ id: string; resource: string }>(
    'SELECT id, resource_id AS resource FROM events ORDER BY position',
  )
  const place = new Map(published.map((id, index) => [id, index]))
  const written = new Set(rows.map(({ id }) => id))
  const last = new Map<string, number>()
  const outOfOrder = rows.filter(({ id, resource }) => {
    const index = place.get(id) ?? Number.POSITIVE_INFINITY
    const before = last.get(resource) ?? -1
    last.set(resource, index)
    return index < before
  })
  return {
    missing: rows.filter(({ id }) => !place.has(id)),
    foreign: published.filter((id) => !written.has(id)),
    repeated: published.length - place.size,
    outOfOrder,
  }
}

async function publishedIds(nats: Replicas['nats']): Promise<string[]> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(nats.controlPlaneCredentials))
  const connection = await connect({ servers: [...nats.urls], authenticator })
  try {
    const consumer = await jetstream(connection).consumers.get(streams.event)
    const ids: string[] = []
    if ((await consumer.info()).num_pending === 0) return ids
    for await (const message of await consumer.consume()) {
      ids.push(message.json<{ id: string }>().id)
      if (message.info.pending === 0) break
    }
    return ids
  } finally {
    await connection.close()
  }
}
