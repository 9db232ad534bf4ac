import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import {
  eventually,
  startTestNats,
  startTestPostgres,
  type TestNats,
  type TestPostgres,
} from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Operation, readOperations } from '../fuzz/http/operations.ts'
import { type Replica, startReplica } from './installation.ts'

/** Answers while the database is down, and recovery when it is up again. */
let postgres: TestPostgres
let nats: TestNats
let replica: Replica
let operations: Operation[]
const folder = mkdtempSync(join(tmpdir(), 'hearth-outage-'))
const token = `hearth_${newId()}`

beforeAll(async () => {
  postgres = await startTestPostgres()
  nats = await startTestNats({ authorization: true })
  const unlimited = { requestsPerSecond: null }
  replica = await startReplica(
    { token, database: postgres, nats, folder },
    { quotas: { organization: unlimited, principal: unlimited } },
  )
  const all = await readOperations(replica.url)
  // The token of a log says by itself, without the database, that it is none.
  operations = all.filter(({ path }) => !path.endsWith('/log'))
  expect(operations).toHaveLength(all.length - 3)
}, 60_000)
afterAll(async () => {
  await replica.stop()
  await nats[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function ask({ method, path }: Pick<Operation, 'method' | 'path'>, secret = token) {
  const response = await fetch(replica.url + path.replaceAll(/\{\w+\}/g, newId()), {
    method,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(20_000),
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
  })
  return { response, text: await response.text() }
}

const projects = { method: 'GET', path: '/v1/projects' }

/** Words of PostgreSQL, the operating system and SQL statements that answers must not contain. */
const inner =
  /postgres|econn|socket|127\.0\.0\.1|localhost|select|terminat|database "|password|\bat .*\.(js|ts)/i

test('while the database is down every route says 503, as JSON, with when to come again and nothing inner; then all is well', async () => {
  expect((await ask(projects)).response.status).toBe(200)
  await postgres.crash()
  // A known token is believed until the loss of the connection is noticed.
  const isNoticed = async () => (await ask({ method: 'POST', path: '/v1/claims' })).response.status === 503
  await eventually(isNoticed, { timeoutMilliseconds: 10_000 })
  const asked = operations.flatMap((operation) => [
    { operation, secret: token },
    { operation, secret: 'hearth_unknown' },
  ])
  const answers = await Promise.all(
    asked.map(async ({ operation, secret }) => ({ operation, ...(await ask(operation, secret)) })),
  )
  for (const { operation, response, text } of answers) {
    const what = `${operation.method} ${operation.path}: ${response.status} ${text}`
    expect(response.status, what).toBe(503)
    expect(Number(response.headers.get('retry-after')), what).toBeGreaterThan(0)
    expect(response.headers.get('content-type'), what).toContain('application/json')
    expect(text.replace(/"requestId":"[^"]*"/, ''), what).not.toMatch(inner)
    expect(JSON.parse(text), what).toBeTypeOf('object')
  }
  const { response: live } = await ask({ method: 'GET', path: '/healthz/live' })
  const { response: ready, text } = await ask({ method: 'GET', path: '/healthz/ready' })
  expect([live.status, ready.status]).toEqual([200, 503])
  expect(text).not.toMatch(/econn|127\.0\.0\.1/i)

  await postgres.restart()
  await eventually(async () => (await ask({ method: 'GET', path: '/healthz/ready' })).response.ok, {
    timeoutMilliseconds: 30_000,
  })
  expect((await ask(projects)).response.status).toBe(200)
  const { projectId } = await replica.client.apply({ apiVersion: 'hearth/v1', name: 'after', warmPools: [] })
  expect((await replica.client.projects.get(projectId)).metadata.name).toBe('after')
  expect((await ask(projects, 'hearth_unknown')).response.status).toBe(401)
}, 120_000)
