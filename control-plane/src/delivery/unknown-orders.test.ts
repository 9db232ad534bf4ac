import { newId } from '@hearth/foundation'
import { createTestDatabase, type TestDatabase } from '@hearth/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectDatabase } from '../database/connection.ts'
import { migrate } from '../database/migrate.ts'
import { environmentWorkKind } from '../kinds/environment/index.ts'
import { logUnknownOrders } from './unknown-orders.ts'

let server: TestDatabase
let connected: ReturnType<typeof connectDatabase>

beforeAll(async () => {
  server = await createTestDatabase()
  await migrate(server.url)
  connected = connectDatabase(server.url, () => undefined, 2)
}, 60_000)
afterAll(async () => {
  await connected?.close()
  await server?.[Symbol.asyncDispose]()
})

test('orders of unknown kinds are reported with their number and stay; known ones are not reported', async () => {
  const { database } = connected
  const row = (kind: string, created_at: Date) => ({
    topic: 'order' as const,
    kind,
    runner_id: newId(),
    environment_id: newId(),
    created_at,
  })
  const old = new Date('2026-01-01T00:00:00Z')
  const soon = new Date('2200-01-01T00:00:00Z')
  const rows = [row('marker', old), row('marker', old), row('environment', old), row('other', soon)]
  await database.insertInto('outbox').values(rows).execute()
  const logged: unknown[] = []
  const stop = new AbortController()
  const log = pino(
    { base: null, timestamp: false },
    {
      write(line: string) {
        logged.push(JSON.parse(line))
        stop.abort()
      },
    },
  )
  await logUnknownOrders({ database, workKinds: [environmentWorkKind], log }, stop.signal)
  expect(logged).toEqual([
    {
      level: 40,
      kind: 'marker',
      orders: 2,
      msg: 'orders wait for a newer control plane: this version does not know their kind of work',
    },
  ])
  expect(await database.selectFrom('outbox').select('kind').execute()).toHaveLength(4)
})
