import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { housekeeping } from './housekeeping.ts'
import type { Installation } from './installation.ts'
import { lifePosts } from './repeated-life-requests.ts'
import { pipelinePosts } from './repeated-pipeline-requests.ts'
import { processPosts } from './repeated-process-requests.ts'
import { routePosts } from './repeated-route-requests.ts'
import { sessionPosts } from './repeated-session-requests.ts'
import { snapshotPosts } from './repeated-snapshot-requests.ts'
import { volumePosts } from './repeated-volume-requests.ts'
import { webAppPosts } from './repeated-web-app-requests.ts'
import { idOf, publicKey, type RequestParty, startRequestParty } from './request-party.ts'

let party: RequestParty
let installation: Installation

beforeAll(async () => {
  party = await startRequestParty()
  installation = party.installation
})
afterAll(() => party[Symbol.asyncDispose]())

const send: RequestParty['send'] = (...request) => party.send(...request)
const runningEnvironment = (claimId: string | null) => party.runningEnvironment(claimId)
const post = (url: string, path: string, body: unknown, key: string) =>
  send(url, 'POST', path, body, { 'idempotency-key': key })

/**
 * Every POST that makes or claims something, with a body that succeeds. Another body or path is a different request.
 */
const posts: {
  name: string
  prepare(): Promise<{ path: string; body: unknown; other: unknown; otherPath?: string }>
}[] = [
  ...[
    { name: 'organizations', body: (name: string) => ({ name, spec: { displayName: name } }) },
    { name: 'tokens', body: (name: string) => ({ name, roles: ['viewer'] }) },
    { name: 'runners', body: (name: string) => ({ name, labels: {}, spec: {} }) },
    { name: 'projects', body: (name: string) => ({ name, spec: {} }) },
    { name: 'observers', body: (name: string) => ({ name }) },
    {
      name: 'environment-classes',
      body: (name: string) => ({
        name,
        spec: { virtualCpus: 1, memoryMebibytes: 1_024, diskGibibytes: 8, image: 'debian-12' },
      }),
    },
  ].map(({ name, body }) => ({
    name,
    prepare: async () => ({
      path: `/v1/${name}`,
      body: body(`one-${name}`.slice(0, 40)),
      other: body(`two-${name}`.slice(0, 40)),
    }),
  })),
  {
    name: 'apply',
    prepare: async () => ({
      path: '/v1/apply',
      body: { apiVersion: 'hearth/v1', name: 'applied', warmPools: [{ min: 0 }] },
      other: { apiVersion: 'hearth/v1', name: 'applied', warmPools: [] },
    }),
  },
  {
    name: 'warm-pools',
    prepare: async () => {
      const projectId = idOf(
        await send(installation.url, 'POST', '/v1/projects', { name: 'pooled', spec: {} }),
      )
      const classes = await installation.client.environmentClasses.list({})
      const body = (index: number) => ({
        spec: { projectId, environmentClassId: classes.items[index]?.metadata.id, min: 0 },
      })
      return { path: '/v1/warm-pools', body: body(0), other: body(1) }
    },
  },
  ...[
    { below: 'clear', bodies: [{ replenish: true }, { replenish: false }] },
    { below: 'tests', bodies: [{ keepSeconds: 60 }, { keepSeconds: 61 }] },
  ].map(({ below, bodies: [body, other] }) => ({
    name: `warm-pools/{id}/${below}`,
    prepare: async () => {
      const name = `pool-${below}`
      const { warmPools } = await installation.client.apply({
        apiVersion: 'hearth/v1',
        name,
        warmPools: [{ min: 0 }],
      })
      return { path: `/v1/warm-pools/${warmPools[0]?.id}/${below}`, body, other }
    },
  })),
  {
    name: 'environments',
    prepare: async () => {
      const projectId = idOf(
        await send(installation.url, 'POST', '/v1/projects', { name: 'single', spec: {} }),
      )
      const classes = await installation.client.environmentClasses.list({})
      const body = (index: number) => ({
        spec: { projectId, environmentClassId: classes.items[index]?.metadata.id },
      })
      return { path: '/v1/environments', body: body(0), other: body(1) }
    },
  },
  {
    name: 'claims',
    prepare: async () => {
      await installation.client.apply({ apiVersion: 'hearth/v1', name: 'claimed', warmPools: [{ min: 0 }] })
      const body = (fill: string) => ({
        spec: { project: 'claimed', fallback: 'cold', publicKey: publicKey(fill) },
      })
      return { path: '/v1/claims', body: body('a'), other: body('b') }
    },
  },
  {
    name: 'environments/{id}/certificates',
    prepare: async () => ({
      path: `/v1/environments/${await runningEnvironment(null)}/certificates`,
      body: { publicKey: publicKey('c') },
      other: { publicKey: publicKey('d') },
    }),
  },
  {
    name: 'environments/{id}/retry',
    prepare: async () => ({
      path: `/v1/environments/${await runningEnvironment(null)}/retry`,
      otherPath: `/v1/environments/${await runningEnvironment(null)}/retry`,
      body: undefined,
      other: undefined,
    }),
  },
  {
    name: 'environments/{id}/log-token',
    prepare: async () => ({
      path: `/v1/environments/${await runningEnvironment(null)}/log-token`,
      otherPath: `/v1/environments/${await runningEnvironment(null)}/log-token`,
      body: undefined,
      other: undefined,
    }),
  },
  {
    name: 'user-secrets',
    prepare: async () => {
      const body = (variable: string) => ({ spec: { variable, value: 'a value' } })
      return { path: '/v1/user-secrets', body: body('ONE'), other: body('TWO') }
    },
  },
  {
    name: 'runners/{id}/tokens',
    prepare: async () => {
      const made = async (name: string) =>
        `/v1/runners/${(await installation.client.runners.create({ name, spec: {} })).runner.metadata.id}/tokens`
      return {
        path: await made('given-another'),
        otherPath: await made('given-one-too'),
        body: undefined,
        other: undefined,
      }
    },
  },
  {
    name: 'claims/{id}/retry',
    prepare: async () => {
      await installation.client.apply({ apiVersion: 'hearth/v1', name: 'retried', warmPools: [{ min: 0 }] })
      const spec = { project: 'retried', fallback: 'cold', publicKey: publicKey('i') }
      const claim = async () =>
        `/v1/claims/${idOf(await send(installation.url, 'POST', '/v1/claims', { spec }))}/retry`
      return { path: await claim(), otherPath: await claim(), body: undefined, other: undefined }
    },
  },
  {
    name: 'claims/{id}/certificates',
    prepare: async () => {
      await installation.client.apply({ apiVersion: 'hearth/v1', name: 'entered', warmPools: [{ min: 0 }] })
      const spec = { project: 'entered', fallback: 'cold', publicKey: publicKey('f') }
      const id = idOf(await send(installation.url, 'POST', '/v1/claims', { spec }))
      const environmentId = await runningEnvironment(id)
      await party.sql.query(`UPDATE claims SET phase = 'bound', environment_id = $2 WHERE id = $1`, [
        id,
        environmentId,
      ])
      return {
        path: `/v1/claims/${id}/certificates`,
        body: { publicKey: publicKey('g') },
        other: { publicKey: publicKey('h') },
      }
    },
  },
  {
    name: 'observers/{id}/credentials',
    prepare: async () => ({
      path: `/v1/observers/${(await installation.client.observers.create({ name: 'renewed' })).observer.id}/credentials`,
      body: { hours: 1 },
      other: { hours: 2 },
    }),
  },
  ...sessionPosts(async (path, body) => idOf(await send(installation.url, 'POST', path, body))),
  ...snapshotPosts({
    client: () => installation.client,
    sql: () => party.sql,
    make: async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  }),
  ...processPosts(
    () => installation.client,
    async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  ),
  ...webAppPosts({ installation: () => installation, sql: () => party.sql }),
  ...routePosts({
    client: () => installation.client,
    sql: () => party.sql,
    make: async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  }),
  ...volumePosts({
    client: () => installation.client,
    sql: () => party.sql,
    make: async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  }),
  ...lifePosts(
    () => installation,
    async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  ),
  ...pipelinePosts({
    client: () => installation.client,
    sql: () => party.sql,
    make: async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  }),
]

describe.each(posts)('POST $name under one Idempotency-Key', ({ name, prepare }) => {
  test('is done once by two replicas, gets the same answer after a restart, and is refused with another body', async () => {
    const { path, body, other, otherPath = path } = await prepare()
    const key = `key of ${name}`
    const answers = await Promise.all(
      [installation.url, party.second.url, installation.url, party.second.url].map((url) =>
        post(url, path, body, key),
      ),
    )
    const [first] = answers
    expect(first?.status, first?.text).toBeLessThan(300)
    for (const answer of answers) expect(answer).toEqual(first)
    await party.restartSecond()
    expect(await post(party.second.url, path, body, key)).toEqual(first)
    const mismatch = await post(party.second.url, otherPath, other, key)
    expect([mismatch.status, JSON.parse(mismatch.text).error.code]).toEqual([422, 'idempotency_mismatch'])
    const free = await post(party.second.url, otherPath, other, `another ${key}`)
    expect(free.status, free.text).toBeLessThan(300)
  })
})

test('every POST that makes something is in the list above', async () => {
  const { paths } = (await (await fetch(`${installation.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>
  }
  const all = Object.entries(paths).filter(([, methods]) => 'post' in methods)
  const tried = posts.map(({ name }) => `/v1/${name}`)
  expect(all.map(([path]) => path).filter((path) => !tried.includes(path))).toEqual([
    // Sent by git servers: a delivery that is repeated is known by its content.
    '/v1/webhooks/{projectId}',
    // Known by its content likewise: see artifacts.test.
    '/v1/artifacts',
    // Deployed once under a key, though what is uploaded is not compared: see web-apps.test.
    '/v1/spaces/{id}/deployments',
    // Done in a machine, whose agent knows a repeat: see calls.test.
    '/v1/environments/{id}/exec',
    '/v1/environments/{id}/files/read',
    '/v1/environments/{id}/files/write',
    // Likewise done in a machine: see pipeline-traffic.test. Listening changes nothing.
    '/v1/pipelines/{id}/ingress/{name}',
    '/v1/pipelines/{id}/egress/{name}',
    '/v1/pipelines/{id}/checkpoint',
    // Made by agents: each call is a new lease, or new credentials under the same lease.
    '/v1/runners/{id}/registration',
    '/v1/runners/{id}/credentials',
    // Changes nothing.
    '/v1/warm-pools/{id}/simulations',
  ])
})

test('an answer is kept for a day, for its own caller only', async () => {
  const body = { name: 'kept', roles: ['viewer'] }
  const first = await post(installation.url, '/v1/tokens', body, 'kept')
  const made = await installation.client.tokens.create({ name: 'someone', roles: ['administrator'] })
  const others = await send(installation.url, 'POST', '/v1/tokens', body, {
    'idempotency-key': 'kept',
    authorization: `Bearer ${made.secret}`,
  })
  expect(others.status).toBe(422)
  await party.sql.query(
    `UPDATE idempotency_keys SET created_at = now() - interval '23 hours' WHERE key = 'kept'`,
  )
  await housekeeping(installation, 'hourly')
  expect(await post(installation.url, '/v1/tokens', body, 'kept')).toEqual(first)
  await party.sql.query(
    `UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'kept'`,
  )
  await housekeeping(installation, 'hourly')
  expect(idOf(await post(installation.url, '/v1/tokens', body, 'kept'))).not.toBe(idOf(first))
})
