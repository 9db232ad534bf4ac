import { setTimeout as pause } from 'node:timers/promises'
import { HearthClient } from '@hearth/client'
import type { Event, Gap } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CuttableRelay, startCuttableRelay } from './cuttable-relay.ts'
import { expectRisingVersions, loggedEvents } from './event-log.ts'
import { startWriters } from './event-writers.ts'
import { housekeeping } from './housekeeping.ts'
import { type Installation, startInstallation } from './installation.ts'

const cutMilliseconds = Number(process.env.HEARTH_TEST_CUT_SECONDS ?? 0.3) * 1_000
/** More than is written during the cuts, after which all of it is requested. */
const keepCount = 2_000 + Math.ceil(cutMilliseconds / 1_000) * 500

let installation: Installation
let organizationId: string
let sql: pg.Client

beforeAll(async () => {
  const overrides = { timings: { eventHeartbeat: 200 } }
  installation = await startInstallation({ events: { keepCount }, overrides })
  organizationId = (await installation.client.whoami()).organizationId
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
})
afterAll(async () => {
  await sql.end()
  await installation[Symbol.asyncDispose]()
})

const relayed = async () => {
  const relay = await startCuttableRelay({ host: '127.0.0.1', port: Number(new URL(installation.url).port) })
  return { relay, client: clientAt(relay) }
}
const clientAt = (relay: CuttableRelay) =>
  new HearthClient({ url: `http://127.0.0.1:${relay.port}`, token: installation.token })

interface Observer {
  events: Event[]
  gaps: Gap[]
  losses: number
  has(position: number): Promise<boolean>
  stop(): Promise<void>
}

/** Starts to follow events; the stream is open when this resolves. */
async function observe(
  client: HearthClient,
  options: {
    over: 'sse' | 'websocket'
    after?: number
    silenceMilliseconds?: number
  },
): Promise<Observer> {
  const ended = new AbortController()
  const observer: Observer = {
    events: [],
    gaps: [],
    losses: 0,
    has: async (position) => (observer.events.at(-1)?.position ?? 0) >= position,
    stop: async () => {
      ended.abort()
      await following
    },
  }
  let opened: () => void = () => undefined
  const open = new Promise<void>((resolve) => {
    opened = resolve
  })
  const follow = async () => {
    const events = client.events.follow({
      ...options,
      signal: ended.signal,
      onOpen: () => opened(),
      onLost: () => {
        observer.losses += 1
      },
      onGap: (gap) => observer.gaps.push(gap),
    })
    for await (const event of events) observer.events.push(event)
  }
  const following = follow()
  await Promise.race([open, following])
  return observer
}

/** Every event of the log after the observer's start, none missing and none twice. */
async function expectWhole(observer: Observer): Promise<void> {
  const log = await loggedEvents(installation.database.url, organizationId)
  const last = log.at(-1)?.position ?? 0
  await eventually(() => observer.has(last), { timeoutMilliseconds: 20_000 })
  const first = observer.events[0]?.position ?? 0
  const expected = log.filter(({ position }) => position >= first)
  expect(observer.events.map(({ id, position }) => ({ id, position }))).toEqual(expected)
}

describe.each(['sse', 'websocket'] as const)('an observer over %s', (over) => {
  test('that was disconnected continues where it was: no gap and no repeat', async () => {
    const { relay, client } = await relayed()
    await using _ = relay
    const before = (await loggedEvents(installation.database.url, organizationId)).at(-1)?.position ?? 0
    const observer = await observe(client, { over, after: before })
    const writers = await startWriters(installation.client, { prefix: `cut-${over}` })
    await writers.more(40)
    relay.cut()
    const begun = performance.now()
    await writers.more(40)
    await pause(Math.max(0, cutMilliseconds - (performance.now() - begun)))
    relay.mend()
    await writers.more(40)
    await writers.stop()
    await expectWhole(observer)
    expect(observer.events[0]?.position).toBe(before + 1)
    expect(observer.losses).toBe(1)
    expectRisingVersions(observer.events)
    console.info(
      `${over}: cut for ${Math.round(performance.now() - begun)} ms, ${writers.written()} changes, ${observer.events.length} events, none missing, none twice`,
    )
    await observer.stop()
  }, 300_000)

  test('reconnects when its connection falls silent', async () => {
    const { relay, client } = await relayed()
    await using _ = relay
    const observer = await observe(client, { over, silenceMilliseconds: 1_000 })
    await installation.client.projects.create({ name: `silent-${over}`, labels: {}, spec: {} })
    await eventually(() => observer.events.length > 0, { timeoutMilliseconds: 5_000 })
    relay.freeze()
    await installation.client.projects.update(`silent-${over}`, { labels: { a: 'b' } })
    await expectWhole(observer)
    expect(observer.losses).toBe(1)
    await observer.stop()
  })

  test('sees an event that commits after one that began later', async () => {
    const observer = await observe(installation.client, { over })
    const late = newId()
    await sql.query('BEGIN')
    await sql.query(
      `INSERT INTO events (id, organization_id, verb, kind, resource_id, resource)
       VALUES ($1, $2, 'updated', 'Job', $3, '{}')`,
      [late, organizationId, newId()],
    )
    const writers = await startWriters(installation.client, { prefix: `late-${over}` })
    await writers.more(20)
    await eventually(() => observer.events.length >= 20, { timeoutMilliseconds: 10_000 })
    await sql.query('COMMIT')
    await writers.more(20)
    await writers.stop()
    await expectWhole(observer)
    const at = observer.events.findIndex(({ id }) => id === late)
    expect(at).toBeGreaterThanOrEqual(20)
    expect(at).toBeLessThan(observer.events.length - 1)
    expectRisingVersions(observer.events)
    await observer.stop()
  })

  test('ends when its token is revoked', async () => {
    const made = await installation.client.tokens.create({ name: `short-${over}`, roles: ['viewer'] })
    const viewer = new HearthClient({ url: installation.url, token: made.secret })
    const ended = new AbortController()
    const events = viewer.events.follow({
      over,
      signal: ended.signal,
      onOpen: () => void installation.client.tokens.delete(made.id),
    })
    await expect(events.next()).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  test('is refused without a valid token', async () => {
    const stranger = new HearthClient({ url: installation.url, token: 'hearth_unknown' })
    const events = stranger.events.follow({ over, signal: new AbortController().signal })
    await expect(events.next()).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})

describe('an observer whose next events were removed', () => {
  let kept: { id: string; position: number }[]
  const oldest = () => kept[0]?.position ?? 0

  beforeAll(async () => {
    const first = (await loggedEvents(installation.database.url, organizationId))[0]?.position ?? 0
    await sql.query(
      `INSERT INTO events (id, organization_id, verb, kind, resource_id, resource)
       SELECT gen_random_uuid(), $1, 'updated', 'Job', gen_random_uuid(), '{}' FROM generate_series(1, $2)`,
      [organizationId, keepCount + 100],
    )
    // Runs the housekeeping of each minute now; it may remove only published events.
    await eventually(
      async () => {
        await housekeeping(installation)
        kept = await loggedEvents(installation.database.url, organizationId)
        return oldest() > first && kept.length <= keepCount
      },
      { timeoutMilliseconds: 30_000, intervalMilliseconds: 200 },
    )
  })

  test('the newest events are kept, without gaps', () => {
    expect(kept).toHaveLength(keepCount)
    expect((kept.at(-1)?.position ?? 0) - oldest()).toBe(keepCount - 1)
  })

  test('a page is refused with 410 and the position at which to continue', async () => {
    const error = await installation.client.events.list({ after: oldest() - 2 }).catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'expired',
      facts: { status: 410, oldestPosition: oldest(), resumePosition: oldest() - 1 },
    })
    const page = await installation.client.events.list({ after: error.facts.resumePosition })
    expect(page.items[0]?.position).toBe(oldest())
    expect((await installation.client.events.list({})).items[0]?.position).toBe(oldest())
  })

  test.each(['sse', 'websocket'] as const)('over %s it is told where to go on', async (over) => {
    const refused = installation.client.events.follow({
      over,
      after: 1,
      signal: new AbortController().signal,
    })
    await expect(refused.next()).rejects.toMatchObject({ code: 'expired' })
    const observer = await observe(installation.client, { over, after: 1 })
    await expectWhole(observer)
    expect(observer.gaps).toEqual([{ type: 'gap', asked: 1, position: oldest() - 1, oldest: oldest() }])
    expect(observer.events[0]?.position).toBe(oldest())
    expect(observer.losses).toBe(0)
    await observer.stop()
  })

  test('a position beyond the log’s end is reported as one of another log', async () => {
    const newest = kept.at(-1)?.position ?? 0
    const error = await installation.client.events.list({ after: newest + 1_000 }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'expired', facts: { resumePosition: newest } })
  })
})
