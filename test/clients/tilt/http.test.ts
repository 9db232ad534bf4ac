import { once } from 'node:events'
import { connect } from 'node:net'
import { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newOrganization } from '../../system/hostile-party.ts'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { live, newName, openSession } from './ground.ts'

// What kubectl and other clients send, byte for byte where that matters, and what they may send wrongly.
let installation: Installation
let client: HearthClient
beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { observerStall: 1_000 } } })
  client = installation.client
})
afterAll(() => installation?.[Symbol.asyncDispose]())

const sessions = '/apis/tilt.dev/v1alpha1/sessions'
const tableAccept =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'

interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the tests, not types, check what a client of another system reads
  body: any
}
async function send(
  path: string,
  { token = installation.token, ...request }: RequestInit & { token?: string | null } = {},
): Promise<Answer> {
  const response = await fetch(`${installation.url}${path}`, {
    ...request,
    headers: { ...(token === null ? {} : { Authorization: `Bearer ${token}` }), ...request.headers },
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}
const accept = (text: string) => ({ headers: { Accept: text } })
/** The lines of a watch that ends by itself after a second. */
async function watched(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${installation.url}${sessions}?watch=1&timeoutSeconds=1&${query}`, {
    headers: { Authorization: `Bearer ${installation.token}`, ...headers },
  })
  const lines = (await response.text()).trim().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

describe('discovery', () => {
  test('says what there is', async () => {
    expect((await send('/api?timeout=32s')).body).toEqual({
      kind: 'APIVersions',
      versions: [],
      serverAddressByClientCIDRs: [],
    })
    const groupVersion = { groupVersion: 'tilt.dev/v1alpha1', version: 'v1alpha1' }
    const group = { name: 'tilt.dev', versions: [groupVersion], preferredVersion: groupVersion }
    expect((await send('/apis?timeout=32s')).body).toEqual({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [group],
    })
    expect((await send('/apis/tilt.dev')).body).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...group })
    expect((await send('/apis/tilt.dev/v1alpha1?timeout=32s')).body).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'tilt.dev/v1alpha1',
      resources: [
        {
          name: 'sessions',
          singularName: 'session',
          namespaced: false,
          kind: 'Session',
          verbs: ['get', 'list', 'watch'],
        },
        { name: 'sessions/status', singularName: '', namespaced: false, kind: 'Session', verbs: ['get'] },
      ],
    })
  })

  test('is for those with a token, but for the version', async () => {
    for (const path of [
      '/api',
      '/apis',
      '/apis/tilt.dev',
      '/apis/tilt.dev/v1alpha1',
      sessions,
      `${sessions}/x`,
    ])
      for (const token of [null, 'hearth_nobody'])
        expect(await send(path, { token })).toMatchObject({
          status: 401,
          body: { kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 },
        })
    expect(await send('/version', { token: null })).toMatchObject({ status: 200, body: { major: '1' } })
  })

  test('what is not there is not found, as a Status', async () => {
    for (const path of [
      '/openapi/v2',
      '/openapi/v3',
      '/apis/apps/v1',
      '/apis/tilt.dev/v1',
      `${sessions}/a/b`,
    ])
      expect(await send(path)).toMatchObject({
        status: 404,
        body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 },
      })
  })

  test('takes nothing from the other interfaces', async () => {
    expect((await send('/api/v1/projects')).body).toMatchObject({ items: [] })
    expect((await send('/v1/sessions')).body).toMatchObject({ items: expect.any(Array) })
    expect((await send('/api/v1/nothing')).body).toMatchObject({ error: { code: 'not_found' } })
    const page = await fetch(`${installation.url}/docs/tilt`)
    expect(await page.text()).toContain('/docs/tilt/start.js')
    const document = await send('/apis/tilt.dev/openapi.json', { token: null })
    expect(Object.keys(document.body.paths)).toContain(sessions)
  })
})

describe('the form of an answer', () => {
  test('is what is accepted first: a table of either version, or the objects', async () => {
    const { metadata } = await openSession(client)
    const table = await send(`${sessions}?limit=500`, accept(tableAccept))
    expect(table.body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
    expect(table.body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      'Name',
      'Condition',
      'Done',
      'Targets',
      'Error',
      'Age',
    ])
    const row = table.body.rows.find(({ cells }: { cells: string[] }) => cells[0] === metadata.name)
    expect(row.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: metadata.name } })
    expect(row.object).not.toHaveProperty('spec')
    const older = accept('application/json;as=Table;v=v1beta1;g=meta.k8s.io')
    expect((await send(sessions, older)).body.apiVersion).toBe('meta.k8s.io/v1beta1')
    for (const text of [
      '*/*',
      'application/json',
      'application/vnd.kubernetes.protobuf,application/json',
      '',
    ])
      expect((await send(sessions, accept(text))).body.kind).toBe('SessionList')
  })

  test('has as much of the objects as is asked for', async () => {
    const { metadata } = await openSession(client)
    const objectOf = async (include: string) =>
      (await send(`${sessions}/${metadata.name}?includeObject=${include}`, accept(tableAccept))).body.rows[0]
        .object
    expect(await objectOf('None')).toBeNull()
    expect(await objectOf('Object')).toMatchObject({ kind: 'Session', status: { done: false } })
    expect(await send(`${sessions}?includeObject=All`)).toMatchObject({ status: 400 })
  })

  test('that is not known here is not acceptable', async () => {
    for (const text of [
      'application/vnd.kubernetes.protobuf',
      'text/html',
      'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    ])
      for (const path of [sessions, `${sessions}/nobody`, `${sessions}?watch=true`])
        expect(await send(path, accept(text))).toMatchObject({
          status: 406,
          body: { kind: 'Status', reason: 'NotAcceptable', code: 406 },
        })
  })
})

describe('what is asked wrongly', () => {
  test.each([
    'limit=-1',
    'limit=many',
    'continue=nonsense',
    'continue=e30',
    'resourceVersion=new',
    'watch=true&resourceVersion=-1',
    'watch=true&timeoutSeconds=long',
    'fieldSelector=status.done%3Dtrue',
    'fieldSelector=metadata.name',
    'labelSelector=a%3D%3D%3Db',
    'labelSelector=a%20within%20(b)',
    `labelSelector=${'a'.repeat(5_000)}`,
  ])('%s is a bad request', async (query) => {
    expect(await send(`${sessions}?${query}`)).toMatchObject({
      status: 400,
      body: { kind: 'Status', reason: 'BadRequest', code: 400, message: expect.any(String) },
    })
  })

  test('a newer version than there is, and another than is there, are expired', async () => {
    await openSession(client)
    const { resourceVersion } = (await send(sessions)).body.metadata
    for (const query of [
      'resourceVersion=999999999',
      `resourceVersion=${resourceVersion - 1}&resourceVersionMatch=Exact`,
    ])
      expect(await send(`${sessions}?${query}`)).toMatchObject({
        status: 410,
        body: { kind: 'Status', reason: 'Expired', code: 410 },
      })
    for (const query of [
      'resourceVersion=0',
      `resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`,
    ])
      expect(await send(`${sessions}?${query}`)).toMatchObject({ status: 200 })
  })

  test('initial events of a watch are not for this version: a client then lists', async () => {
    const query =
      'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    expect(await send(`${sessions}?${query}`)).toMatchObject({
      status: 422,
      body: { kind: 'Status', reason: 'Invalid' },
    })
  })

  test('what is not known is passed over, as everywhere in this interface', async () => {
    expect(await send(`${sessions}?pretty=true&timeout=32s`)).toMatchObject({ status: 200 })
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is not allowed', async (method) => {
    for (const path of [sessions, `${sessions}/some`, `${sessions}/some/status`]) {
      const { status, headers, body } = await send(path, { method, body: '{}' })
      expect([path, status, headers.get('allow')]).toEqual([path, 405, 'GET'])
      expect(body).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'MethodNotAllowed', code: 405 })
    }
  })
})

describe('selectors', () => {
  test('choose by name in any case, and by labels', async () => {
    const { metadata } = await openSession(client)
    const names = async (query: string) =>
      (await send(`${sessions}?${query}`)).body.items.map(
        (item: { metadata: { name: string } }) => item.metadata.name,
      )
    expect(await names(`fieldSelector=metadata.name%3D${metadata.name.toUpperCase()}`)).toEqual([
      metadata.name,
    ])
    expect(await names(`fieldSelector=metadata.name!%3D${metadata.name}`)).not.toContain(metadata.name)
    expect(await names('labelSelector=app%3Dshop')).toContain(metadata.name)
    expect(await names('labelSelector=app%20notin%20(shop%2Csite)')).not.toContain(metadata.name)
  })

  test('choose what is watched; a name form begins with what is there', async () => {
    const [one, other] = [await openSession(client), newName()]
    const watching = watched(`fieldSelector=metadata.name%3D${one.metadata.name}&resourceVersion=0`)
    await openSession(client, other)
    await live(client, one.metadata.name, null)
    const seen = await watching
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'MODIFIED'])
    expect(seen.every(({ object }) => object.metadata.name === one.metadata.name)).toBe(true)
  })
})

test('each event of a watch that accepts tables is a table of one row', async () => {
  const { metadata } = await openSession(client)
  const seen = await watched(`fieldSelector=metadata.name%3D${metadata.name}&allowWatchBookmarks=true`, {
    Accept: tableAccept,
  })
  expect(seen).toMatchObject([
    {
      type: 'ADDED',
      object: {
        kind: 'Table',
        rows: [{ cells: [metadata.name, 'ci', false, '0/0', '', expect.any(String)] }],
      },
    },
    {
      type: 'BOOKMARK',
      object: { kind: 'Table', metadata: { resourceVersion: expect.any(String) }, rows: [] },
    },
  ])
})

test('another organization has sessions and versions of its own', async () => {
  const token = await newOrganization(installation, newName().slice(0, 20))
  const other = new HearthClient({ url: installation.url, token })
  expect((await send(sessions, { token })).body).toMatchObject({
    metadata: { resourceVersion: '0' },
    items: [],
  })
  const mine = await openSession(client)
  expect(await send(`${sessions}/${mine.metadata.name}`, { token })).toMatchObject({ status: 404 })
  await openSession(other)
  expect((await send(sessions, { token })).body).toMatchObject({ metadata: { resourceVersion: '1' } })
})

test('only who reads may read', async () => {
  const { secret } = await client.tokens.create({ name: newName(), roles: ['join'] })
  expect(await send(sessions, { token: secret })).toMatchObject({
    status: 403,
    body: { kind: 'Status', reason: 'Forbidden', details: { group: 'tilt.dev', kind: 'sessions' } },
  })
})

test('changes of many writers at once come in the order of their versions, each once', async () => {
  const { resourceVersion } = (await send(sessions)).body.metadata
  const watching = fetch(
    `${installation.url}${sessions}?watch=1&timeoutSeconds=8&resourceVersion=${resourceVersion}`,
    {
      headers: { Authorization: `Bearer ${installation.token}` },
    },
  ).then((response) => response.text())
  const writers = 8
  await Promise.all(
    Array.from({ length: writers }, async () => {
      const { metadata } = await openSession(client)
      await live(client, metadata.name, null)
    }),
  )
  const seen = (await watching)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(seen.map(({ object }) => Number(object.metadata.resourceVersion))).toEqual(
    Array.from({ length: writers * 5 }, (_, index) => Number(resourceVersion) + 1 + index),
  )
})

test('a client that does not read is disconnected, and its place is free again', async () => {
  const { organizationId, principalId } = await client.whoami()
  const before = await openSession(client)
  const { resourceVersion } = (await send(sessions)).body.metadata
  await writeManyChanges(organizationId, Number(resourceVersion), before.metadata.id)
  const { hostname, port } = new URL(installation.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.pause()
  socket.write(
    `GET ${sessions}?watch=1&resourceVersion=${resourceVersion} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${installation.token}\r\n\r\n`,
  )
  const { streams } = installation.controlPlane.services
  await eventually(async () => streams.use(principalId) === 1 || null, { timeoutMilliseconds: 10_000 })
  await eventually(async () => streams.use(principalId) === 0 || null, { timeoutMilliseconds: 30_000 })
  socket.destroy()
})

/** Written as the changes of a session that are already in the log: doing that for real would take far longer. */
async function writeManyChanges(organizationId: string, revision: number, id: string): Promise<void> {
  const changes = 3_000
  const sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  try {
    await eventually(
      async () => (await sql.query('SELECT 1 FROM events WHERE position IS NULL')).rowCount === 0,
      {
        timeoutMilliseconds: 10_000,
      },
    )
    await sql.query(
      `INSERT INTO events (id, position, organization_id, verb, kind, resource_id, resource)
       SELECT gen_random_uuid(), (SELECT max(position) FROM events) + number, $1, 'updated', 'Session', $2,
         jsonb_set(jsonb_set(last.resource, '{status,revision}', to_jsonb($3 + number)),
           '{status,error}', to_jsonb(repeat('x', 10000)))
       FROM generate_series(1, $4::integer) AS number,
         (SELECT resource FROM events WHERE resource_id = $2 ORDER BY position DESC LIMIT 1) AS last`,
      [organizationId, id, revision, changes],
    )
    await sql.query('UPDATE session_revisions SET revision = revision + $2 WHERE organization_id = $1', [
      organizationId,
      changes,
    ])
    await sql.query('UPDATE event_publication SET position = (SELECT max(position) FROM events)')
  } finally {
    await sql.end()
  }
}
