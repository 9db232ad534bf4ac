import { newId } from '@hearth/foundation'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { housekeeping } from './housekeeping.ts'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'
import { snapshotPosts } from './repeated-snapshot-requests.ts'

let installation: Installation
let second: Replica
let sql: pg.Client

beforeAll(async () => {
  installation = await startInstallation()
  second = await startReplica(installation)
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
})
afterAll(async () => {
  await sql.end()
  await second.stop()
  await installation[Symbol.asyncDispose]()
})

interface Answer {
  status: number
  text: string
}

async function send(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${installation.token}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}
const post = (url: string, path: string, body: unknown, key: string) =>
  send(url, 'POST', path, body, { 'idempotency-key': key })
const idOf = (answer: Answer) => {
  const value = JSON.parse(answer.text) as { id?: string; metadata?: { id: string } }
  return value.metadata?.id ?? value.id ?? ''
}

/** An environment that is running according to the database, claimed or not: enough to sign a certificate. */
async function runningEnvironment(claimId: string | null): Promise<string> {
  const project = idOf(
    await send(installation.url, 'POST', '/v1/projects', { name: `p-${newId()}`, spec: {} }),
  )
  const classes = await installation.client.environmentClasses.list({})
  const spec = { projectId: project, environmentClassId: classes.items[0]?.metadata.id }
  const id = idOf(await send(installation.url, 'POST', '/v1/environments', { spec }))
  const address = { host: '127.0.0.1', port: 22, user: 'root', hostKey: 'ssh-ed25519 AAAA' }
  await sql.query(
    `UPDATE environments SET claim_id = $2, status = jsonb_set(status, '{address}', $3::jsonb) WHERE id = $1`,
    [id, claimId, JSON.stringify(address)],
  )
  return id
}

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
    name: 'claims/{id}/certificates',
    prepare: async () => {
      await installation.client.apply({ apiVersion: 'hearth/v1', name: 'entered', warmPools: [{ min: 0 }] })
      const spec = { project: 'entered', fallback: 'cold', publicKey: publicKey('f') }
      const id = idOf(await send(installation.url, 'POST', '/v1/claims', { spec }))
      const environmentId = await runningEnvironment(id)
      await sql.query(`UPDATE claims SET phase = 'bound', environment_id = $2 WHERE id = $1`, [
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
  ...snapshotPosts({
    client: () => installation.client,
    sql: () => sql,
    make: async (path, body) => idOf(await send(installation.url, 'POST', path, body)),
  }),
]

/** An Ed25519 key of 32 equal bytes, as OpenSSH writes it. */
function publicKey(fill: string): string {
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.alloc(32, fill))])
  return `ssh-ed25519 ${blob.toString('base64')}`
}

describe.each(posts)('POST $name under one Idempotency-Key', ({ name, prepare }) => {
  test('is done once by two replicas, gets the same answer after a restart, and is refused with another body', async () => {
    const { path, body, other, otherPath = path } = await prepare()
    const key = `key of ${name}`
    const answers = await Promise.all(
      [installation.url, second.url, installation.url, second.url].map((url) => post(url, path, body, key)),
    )
    const [first] = answers
    expect(first?.status, first?.text).toBeLessThan(300)
    for (const answer of answers) expect(answer).toEqual(first)
    await second.stop()
    second = await startReplica(installation)
    expect(await post(second.url, path, body, key)).toEqual(first)
    const mismatch = await post(second.url, otherPath, other, key)
    expect([mismatch.status, JSON.parse(mismatch.text).error.code]).toEqual([422, 'idempotency_mismatch'])
    const free = await post(second.url, otherPath, other, `another ${key}`)
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
    // Made by agents: each call is a new lease, or new credentials under the same lease.
    '/v1/runners/{id}/registration',
    '/v1/runners/{id}/credentials',
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
  await sql.query(`UPDATE idempotency_keys SET created_at = now() - interval '23 hours' WHERE key = 'kept'`)
  await housekeeping(installation, 'hourly')
  expect(await post(installation.url, '/v1/tokens', body, 'kept')).toEqual(first)
  await sql.query(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'kept'`)
  await housekeeping(installation, 'hourly')
  expect(idOf(await post(installation.url, '/v1/tokens', body, 'kept'))).not.toBe(idOf(first))
})

describe('If-Match', () => {
  /** One of each kind that has a spec, and every way to change it. */
  const kinds: { name: string; make(): Promise<string>; changes: [string, string, unknown][] }[] = [
    {
      name: 'projects',
      make: async () =>
        idOf(await send(installation.url, 'POST', '/v1/projects', { name: 'match', spec: {} })),
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'environment-classes',
      make: async () =>
        idOf(
          await send(installation.url, 'POST', '/v1/environment-classes', {
            name: 'match',
            spec: { virtualCpus: 1, memoryMebibytes: 1_024, diskGibibytes: 8, image: 'debian-12' },
          }),
        ),
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'runners',
      make: async () =>
        (await installation.client.runners.create({ name: 'match', spec: {} })).runner.metadata.id,
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'organizations',
      make: async () => (await installation.client.whoami()).organizationId,
      changes: [['PATCH', '', { labels: {} }]],
    },
    {
      name: 'warm-pools',
      make: async () => {
        const { warmPools } = await installation.client.apply({
          apiVersion: 'hearth/v1',
          name: 'match-pool',
          warmPools: [{ min: 0 }],
        })
        return warmPools[0]?.id ?? ''
      },
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'environments',
      make: () => runningEnvironment(null),
      changes: [
        ['PATCH', '', { labels: { a: 'b' } }],
        ['POST', '/retry', {}],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'claims',
      make: async () => {
        await installation.client.apply({
          apiVersion: 'hearth/v1',
          name: 'match-claim',
          warmPools: [{ min: 0 }],
        })
        const spec = { project: 'match-claim', fallback: 'cold', publicKey: publicKey('e') }
        return idOf(await send(installation.url, 'POST', '/v1/claims', { spec }))
      },
      changes: [['DELETE', '', undefined]],
    },
  ]

  test.each(kinds)(
    'of an older version is refused for $name with the current one, and changes nothing',
    async ({ name, make, changes }) => {
      const path = `/v1/${name}/${await make()}`
      for (const [method, below, body] of changes) {
        const before = JSON.parse((await send(installation.url, 'GET', path, undefined)).text)
        expect(before.specVersion).toBeGreaterThan(0)
        expect(before.statusVersion).toBeGreaterThan(0)
        expect(before.status.observedSpecVersion).toBeGreaterThanOrEqual(0)
        const stale = await send(installation.url, method, path + below, body, {
          'if-match': `"${before.specVersion + 7}"`,
        })
        expect([method, stale.status, JSON.parse(stale.text).error]).toMatchObject([
          method,
          409,
          { code: 'stale_version', facts: { currentSpecVersion: before.specVersion } },
        ])
        const after = JSON.parse((await send(installation.url, 'GET', path, undefined)).text)
        expect(after.specVersion).toBe(before.specVersion)
        const good = await send(installation.url, method, path + below, body, {
          'if-match': `"${before.specVersion}"`,
        })
        expect(good.status, good.text).toBeLessThan(300)
      }
    },
  )

  test('of two changes of the same version, one is refused', async () => {
    const { organizationId } = await installation.client.whoami()
    for (const path of [`/v1/organizations/${organizationId}`, '/v1/environment-classes/small']) {
      const { specVersion } = JSON.parse((await send(installation.url, 'GET', path, undefined)).text)
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          send(
            index % 2 === 0 ? installation.url : second.url,
            'PATCH',
            path,
            { labels: { writer: `${index}` } },
            { 'if-match': `"${specVersion}"` },
          ),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort((one, other) => one - other)
      expect(statuses).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
    }
  })

  test('holds for apply, for which a missing project has the version 0', async () => {
    const apply = (version: number) =>
      send(
        installation.url,
        'POST',
        '/v1/apply',
        { apiVersion: 'hearth/v1', name: 'match-apply', setup: [`v${version}`] },
        { 'if-match': `"${version}"` },
      )
    expect((await apply(1)).status).toBe(409)
    expect((await apply(0)).status).toBe(200)
    expect((await apply(0)).status).toBe(409)
    expect((await apply(1)).status).toBe(200)
  })
})
