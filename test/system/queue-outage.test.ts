import {
  connectDatabase,
  defaultTimings,
  prepareQueue,
  startReconcileQueue,
  wake,
} from '@hearth/control-plane'
import { createTestDatabase, eventually } from '@hearth/testing'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { startCuttableRelay } from './cuttable-relay.ts'

const ignore = () => undefined
const done = () => Promise.resolve()

test('a queue whose first look at PostgreSQL fails works once PostgreSQL answers', async () => {
  await using database = await createTestDatabase()
  const target = new URL(database.url)
  await using relay = await startCuttableRelay({ host: target.hostname, port: Number(target.port) })
  const url = new URL(database.url)
  url.port = String(relay.port)
  const direct = connectDatabase(database.url, ignore)
  const relayed = connectDatabase(url.href, ignore)
  await prepareQueue(direct.pool)

  relay.cut()
  const reconciled: string[] = []
  let failures = 0
  relayed.pool.on('error', ignore)
  const log = pino({ level: 'warn' }, { write: () => (failures += 1) })
  const queue = await startReconcileQueue({
    pool: relayed.pool,
    database: direct.database,
    clock: { now: () => new Date() },
    timings: { ...defaultTimings, queuePoll: 50 },
    reconcilers: [
      { kind: 'project', reconcile: (id) => Promise.resolve(reconciled.push(id)).then(() => null) },
    ],
    housekeeping: { hourly: done, everyMinute: done },
    log,
    measure: ignore,
  })
  try {
    await eventually(() => failures > 0, { timeoutMilliseconds: 10_000 })
    relay.mend()
    await wake(direct.database, 'project', 'one')
    await eventually(() => reconciled.includes('one'), { timeoutMilliseconds: 10_000 })
    expect(reconciled).toEqual(['one'])
  } finally {
    await queue.stop()
    await relayed.close()
    await direct.close()
  }
})
