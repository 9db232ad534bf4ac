import { readFileSync } from 'node:fs'
import { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import {
  ApiException,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesListObject,
  KubernetesObjectApi,
  makeInformer,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCuttableRelay } from '../../system/cuttable-relay.ts'
import { housekeeping } from '../../system/housekeeping.ts'
import { type Ground, live, newName, openSession, startGround } from './ground.ts'

interface TiltSession {
  apiVersion: string
  kind: string
  metadata: { name: string; resourceVersion: string }
  status: { done: boolean; error?: string; targets: { name: string }[] }
}
type SessionList = KubernetesListObject<TiltSession>

const about = { group: 'tilt.dev', version: 'v1alpha1', plural: 'sessions' }
const path = '/apis/tilt.dev/v1alpha1/sessions'
const keptEvents = 30

let ground: Ground
let config: KubeConfig
let api: CustomObjectsApi
beforeAll(async () => {
  // Events are forgotten when a test says so.
  const overrides = { timings: { everyMinute: 3_600_000 } }
  ground = await startGround({ events: { keepCount: keptEvents }, overrides })
  config = loadConfig(ground.kubeconfig)
  api = config.makeApiClient(CustomObjectsApi)
})
afterAll(() => ground?.[Symbol.asyncDispose]())

function loadConfig(text: string): KubeConfig {
  const loaded = new KubeConfig()
  loaded.loadFromString(text)
  return loaded
}

const list = async () => (await api.listClusterCustomObject(about)) as SessionList

test('it is of the version that is supported here', () => {
  const manifest = import.meta.resolve('@kubernetes/client-node').replace(/dist\/.*$/, 'package.json')
  expect(JSON.parse(readFileSync(new URL(manifest), 'utf8')).version).toMatch(/^1\.4\./)
})

test('lists and gets, and says of what is not there that it is not found', async () => {
  const { metadata } = await openSession(ground.client)
  const { kind, items } = await list()
  expect(kind).toBe('SessionList')
  expect(items.map((item) => item.metadata.name)).toContain(metadata.name)
  const one = (await api.getClusterCustomObject({ ...about, name: metadata.name })) as TiltSession
  expect(one).toMatchObject({ kind: 'Session', status: { done: false, targets: [] } })
  const status = (await api.getClusterCustomObjectStatus({ ...about, name: metadata.name })) as TiltSession
  expect(status).toEqual(one)
  const refused = await api
    .getClusterCustomObject({ ...about, name: 'nobody' })
    .catch((error: unknown) => error)
  if (!(refused instanceof ApiException)) throw refused
  expect(refused.code).toBe(404)
  expect(JSON.parse(refused.body)).toMatchObject({
    reason: 'NotFound',
    details: { name: 'nobody', group: 'tilt.dev', kind: 'sessions' },
  })
})

test('lists page after page', async () => {
  for (let made = 0; made < 5; made += 1) await openSession(ground.client)
  const all = await list()
  const names: string[] = []
  let next: string | undefined
  do {
    const page = (await api.listClusterCustomObject({
      ...about,
      limit: 2,
      ...(next === undefined ? {} : { _continue: next }),
    })) as SessionList
    expect(page.items.length).toBeLessThanOrEqual(2)
    names.push(...page.items.map((item) => item.metadata.name))
    next = page.metadata?._continue ?? (page.metadata as { continue?: string } | undefined)?.continue
  } while (next !== undefined)
  expect(names).toEqual(all.items.map((item) => item.metadata.name))
  expect(names).toEqual(names.toSorted())
})

test('reads objects whose kind it only knows by its name, with the name in lower case', async () => {
  const { metadata } = await openSession(ground.client)
  const objects = KubernetesObjectApi.makeApiClient(config)
  const header = { apiVersion: 'tilt.dev/v1alpha1', kind: 'Session' }
  const read = await objects.read({ ...header, metadata: { name: metadata.name.toUpperCase() } })
  expect(read.metadata?.name).toBe(metadata.name)
})

test('a write is refused, and changes nothing', async () => {
  const { metadata, status } = await openSession(ground.client)
  const body = { apiVersion: 'tilt.dev/v1alpha1', kind: 'Session', metadata: { name: newName() } }
  const writes = [
    api.createClusterCustomObject({ ...about, body }),
    api.deleteClusterCustomObject({ ...about, name: metadata.name }),
    api.deleteCollectionClusterCustomObject(about),
    api.patchClusterCustomObject({ ...about, name: metadata.name, body: [] }),
    api.replaceClusterCustomObject({ ...about, name: metadata.name, body }),
    api.replaceClusterCustomObjectStatus({ ...about, name: metadata.name, body }),
  ]
  for (const written of await Promise.allSettled(writes)) {
    const reason: unknown = written.status === 'rejected' ? written.reason : null
    if (!(reason instanceof ApiException)) throw new Error('it was not refused', { cause: reason })
    expect(reason.code).toBe(405)
    expect(JSON.parse(reason.body)).toMatchObject({ kind: 'Status', reason: 'MethodNotAllowed', code: 405 })
  }
  expect((await ground.client.sessions.get(metadata.id)).status.revision).toBe(status.revision)
})

describe('a watch', () => {
  /** Watches, and keeps what comes; the last that comes may be an error. */
  async function watching(query: Record<string, string | boolean>, given = config) {
    const seen: { type: string; object: TiltSession & { code?: number; reason?: string } }[] = []
    let ended = false
    const request = await new Watch(given).watch(
      path,
      query,
      (type, object) => seen.push({ type, object }),
      () => {
        ended = true
      },
    )
    return { seen, stop: () => request.abort(), hasEnded: () => ended }
  }
  const until = (holds: () => boolean) =>
    eventually(async () => holds() || null, { timeoutMilliseconds: 30_000 })

  test('goes on after a list, with every change of it', async () => {
    const { metadata } = await list()
    const { seen, stop } = await watching({ resourceVersion: metadata?.resourceVersion ?? '' })
    const name = newName()
    await openSession(ground.client, name)
    await live(ground.client, name, null)
    await until(() => seen.length >= 5)
    stop()
    expect(seen.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', name],
      ...Array(4).fill(['MODIFIED', name]),
    ])
    const first = Number(metadata?.resourceVersion) + 1
    expect(seen.map(({ object }) => Number(object.metadata.resourceVersion))).toEqual(
      seen.map((_, index) => first + index),
    )
  })

  test('without a version begins with all that there is', async () => {
    const { items } = await list()
    const { seen, stop } = await watching({})
    await until(() => seen.length >= items.length)
    stop()
    expect(seen.map(({ type, object }) => [type, object])).toEqual(items.map((item) => ['ADDED', item]))
  })

  test('tells how far it is, where that is asked for', async () => {
    const { metadata } = await list()
    const resourceVersion = metadata?.resourceVersion ?? ''
    const { seen, stop } = await watching({ resourceVersion, allowWatchBookmarks: true })
    await until(() => seen.length > 0)
    stop()
    expect(seen[0]).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Session', metadata: { resourceVersion } },
    })
  })

  test('ends after the time that it asks for', async () => {
    const { metadata } = await list()
    const { hasEnded } = await watching({
      resourceVersion: metadata?.resourceVersion ?? '',
      timeoutSeconds: '1',
    })
    await until(hasEnded)
  })

  test('of changes that are not kept any more is told so as its only event', async () => {
    const before = (await list()).metadata?.resourceVersion ?? ''
    for (let written = 0; written <= keptEvents / 5; written += 1) {
      const name = newName()
      await openSession(ground.client, name)
      await live(ground.client, name, null)
    }
    await eventually(
      async () => {
        await housekeeping(ground.installation)
        const { seen, hasEnded } = await watching({ resourceVersion: before, timeoutSeconds: '2' })
        await until(hasEnded)
        return seen.some(({ type }) => type === 'ERROR') ? seen : null
      },
      { timeoutMilliseconds: 60_000 },
    ).then((seen) =>
      expect(seen).toMatchObject([
        { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
      ]),
    )
    const page = await fetchPage(`limit=1&continue=${continueAfter(before)}`)
    expect(page).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' })
    const next = await watching({ resourceVersion: '999999999', timeoutSeconds: '2' })
    await until(next.hasEnded)
    expect(next.seen).toMatchObject([{ type: 'ERROR', object: { code: 410 } }])
  })

  const continueAfter = (revision: string) =>
    Buffer.from(JSON.stringify({ revision: Number(revision), after: 'a' })).toString('base64url')
  async function fetchPage(query: string): Promise<unknown> {
    const { url, token } = ground.installation
    const response = await fetch(`${url}${path}?${query}`, { headers: { authorization: `Bearer ${token}` } })
    return response.json()
  }

  test('that nobody may have more of is refused with the time to wait', async () => {
    const { secret } = await ground.client.tokens.create({ name: newName(), roles: ['viewer'] })
    const { url } = ground.installation
    const headers = { authorization: `Bearer ${secret}` }
    const { principal } = await new HearthClient({ url, token: secret }).quotas()
    const ended = new AbortController()
    const open = (signal?: AbortSignal) =>
      fetch(`${url}${path}?watch=true`, { headers, ...(signal === undefined ? {} : { signal }) })
    const streams = await Promise.all(
      Array.from({ length: principal.streams.limit ?? 0 }, () => open(ended.signal)),
    )
    expect(streams.length).toBeGreaterThan(0)
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200))
    const refused = await open()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([
      429,
      expect.stringMatching(/^\d+$/),
    ])
    expect(await refused.json()).toMatchObject({
      kind: 'Status',
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: expect.any(Number) },
    })
    ended.abort()
    await eventually(async () => (await open().then(cancelled)) === 200, { timeoutMilliseconds: 10_000 })
  })

  async function cancelled(response: Response): Promise<number> {
    await response.body?.cancel()
    return response.status
  }
})

test('an informer whose connection is cut again and again misses nothing', async () => {
  const [cluster] = config.getClusters()
  if (cluster === undefined) throw new Error('the kubeconfig has no cluster')
  const { hostname, port } = new URL(cluster.server)
  await using relay = await startCuttableRelay({ host: hostname, port: Number(port) })
  const through = loadConfig(ground.kubeconfig.replace(`:${port}`, `:${relay.port}`))
  const listThrough = through.makeApiClient(CustomObjectsApi)
  const informer = makeInformer<TiltSession>(
    through,
    path,
    async () => (await listThrough.listClusterCustomObject(about)) as SessionList,
  )
  const seen: { name: string; revision: number }[] = []
  for (const verb of ['add', 'update'] as const)
    informer.on(verb, ({ metadata }) =>
      seen.push({ name: metadata.name, revision: Number(metadata.resourceVersion) }),
    )
  informer.on('error', () => {
    setTimeout(() => void informer.start(), 50)
  })
  await informer.start()
  const listed = seen.length
  const names: string[] = []
  const cutting = setInterval(() => {
    relay.cut()
    setTimeout(() => relay.mend(), 30)
  }, 150)
  for (let made = 0; made < 4; made += 1) {
    const name = newName()
    names.push(name)
    await openSession(ground.client, name)
    await live(ground.client, name, made % 2 === 0 ? null : 'exit code 3')
  }
  clearInterval(cutting)
  relay.cut()
  relay.mend()
  const last = Math.max(...(await list()).items.map((item) => Number(item.metadata.resourceVersion)))
  await eventually(async () => seen.at(-1)?.revision === last || null, { timeoutMilliseconds: 30_000 })
  await informer.stop()
  const news = seen.slice(listed).filter(({ name }) => names.includes(name))
  // Each of the twenty changes, once and in order.
  const revisions = news.map(({ revision }) => revision)
  expect(revisions).toEqual(Array.from({ length: 20 }, (_, index) => last - 19 + index))
  expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining((await list()).items.map((item) => item.metadata.name)),
  )
})
