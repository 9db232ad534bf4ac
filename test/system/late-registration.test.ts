import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { register } from './scripted-runner.ts'

let installation: Installation
let database: pg.Client

beforeAll(async () => {
  installation = await startInstallation()
  database = new pg.Client({ connectionString: installation.database.url })
  await database.connect()
})
afterAll(async () => {
  await database.end()
  await installation[Symbol.asyncDispose]()
})

test('a registration that is processed after its agent has gone does not take the runner over', async () => {
  const { client, url } = installation
  const { runner, token } = await client.runners.create({ name: 'late', labels: {}, spec: {} })
  const { id } = runner.metadata
  await database.query('BEGIN')
  await database.query('SELECT FROM runners WHERE id = $1 FOR UPDATE', [id])
  const agent = new AbortController()
  const late = register(url, id, token, agent.signal)
  await eventually(isAnyoneWaiting, { timeoutMilliseconds: 20_000, intervalMilliseconds: 20 })
  agent.abort()
  await expect(late).rejects.toThrow()
  // This is answered only after the control plane has seen the other connection end.
  await client.runners.get(id)
  await database.query('COMMIT')
  const { epoch } = await register(url, id, token)
  expect(epoch).toBe(1)
}, 60_000)

/** Whether another connection waits for a lock that this one holds. */
async function isAnyoneWaiting(): Promise<boolean> {
  const { rows } = await database.query(
    'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))',
  )
  return rows.length > 0
}
