import { eventually } from '@hearth/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startInstallation, startReplica } from './installation.ts'

test('periodic work is scheduled once for all replicas, and again when it is done', async () => {
  await using installation = await startInstallation()
  const second = await startReplica(installation)
  const client = new pg.Client({ connectionString: installation.database.url })
  await client.connect()
  const read = async () => {
    const { rows } = await client.query<{ id: string; key: string; run_at: Date }>(
      "SELECT id, key, run_at FROM graphile_worker.jobs WHERE task_identifier LIKE 'housekeeping-%' ORDER BY key",
    )
    return rows
  }
  try {
    const [everyMinute, hourly, ...others] = await read()
    expect([everyMinute?.key, hourly?.key]).toEqual(['housekeeping-every-minute', 'housekeeping-hourly'])
    expect(others).toEqual([])
    expect(hourly?.run_at.getUTCMinutes()).toBe(17)
    // By add_job, not by an update of the row, so that the workers are notified.
    await client.query(
      "SELECT graphile_worker.add_job('housekeeping-hourly', run_at := now(), job_key := 'housekeeping-hourly')",
    )
    const after = await eventually(
      async () => (await read()).find(({ key, id }) => key === 'housekeeping-hourly' && id !== hourly?.id),
      { timeoutMilliseconds: 10_000 },
    )
    expect(after.run_at.getUTCMinutes()).toBe(17)
    expect(after.run_at.getTime()).toBeGreaterThan(Date.now())
  } finally {
    await client.end()
    await second.stop()
  }
})
