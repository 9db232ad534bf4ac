import { setTimeout as pause } from 'node:timers/promises'
import { HearthClient } from '@hearth/client'
import { type Event, type ObserverAccess, observerDomain, streams, subjects } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { connectMessaging, issueObserverCredentials, type MessagingOptions } from '@hearth/messaging'
import { eventually } from '@hearth/testing'
import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCuttableRelay } from './cuttable-relay.ts'
import { expectRisingVersions, loggedEvents } from './event-log.ts'
import { startWriters, type Writers } from './event-writers.ts'
import { housekeeping } from './housekeeping.ts'
import { type Installation, startInstallation } from './installation.ts'
import { connectObserver, isDenied, type NatsObserver, observeNats } from './nats-observer.ts'

const cutMilliseconds = Number(process.env.HEARTH_TEST_CUT_SECONDS ?? 0.3) * 1_000

let installation: Installation
let organizationId: string

beforeAll(async () => {
  installation = await startInstallation()
  organizationId = (await installation.client.whoami()).organizationId
})
afterAll(() => installation[Symbol.asyncDispose]())

const newObserver = (name: string) => installation.client.observers.create({ name, start: 'new' })

/** Waits until every event after a position has arrived; returns their positions. */
async function untilAllCame(
  observer: NatsObserver,
  after: number,
  databaseUrl = installation.database.url,
  organization = organizationId,
): Promise<number[]> {
  const log = await loggedEvents(databaseUrl, organization)
  const expected = log.filter(({ position }) => position > after).map(({ position }) => position)
  const haveCome = () => {
    const come = new Set(observer.events().map(({ position }) => position))
    return expected.every((position) => come.has(position))
  }
  await eventually(haveCome, { timeoutMilliseconds: 60_000 })
  return expected
}

/** Every event written since the observer began has arrived, those of each resource in order. */
async function expectWhole(observer: NatsObserver, after: number, writers: Writers): Promise<void> {
  const expected = await untilAllCame(observer, after)
  const events = observer.events()
  expect(events.map(({ position }) => position).sort((one, other) => one - other)).toEqual(expected)
  expectRisingVersions(events)
  expect(expected.length).toBeGreaterThanOrEqual(writers.written())
  console.info(
    `nats: ${writers.written()} changes, ${events.length} events, none missing, ${observer.received.length - events.length} came twice`,
  )
}

const newest = async () =>
  (await loggedEvents(installation.database.url, organizationId)).at(-1)?.position ?? 0

test('an observer over NATS that was disconnected continues where it was: no gap and no repeat', async () => {
  const access = await newObserver('cut')
  const port = Number(new URL(installation.nats.url).port)
  await using relay = await startCuttableRelay({ host: '127.0.0.1', port })
  const observer = await observeNats(await connectObserver(access, `127.0.0.1:${relay.port}`), access)
  const before = await newest()
  const writers = await startWriters(installation.client, { prefix: 'cut-nats' })
  await writers.more(40)
  relay.cut()
  const begun = performance.now()
  await writers.more(40)
  await pause(Math.max(0, cutMilliseconds - (performance.now() - begun)))
  relay.mend()
  await writers.more(40)
  await writers.stop()
  await expectWhole(observer, before, writers)
  await observer.stop()
}, 300_000)

test('when the NATS server is killed while changes go on, each comes at least once and in order', async () => {
  const access = await newObserver('killed')
  const observer = await observeNats(await connectObserver(access), access)
  const before = await newest()
  const writers = await startWriters(installation.client, { prefix: 'killed-nats' })
  for (let round = 0; round < 3; round += 1) {
    await writers.more(30)
    await installation.nats.crashAndRestart()
  }
  await writers.more(30)
  await writers.stop()
  await expectWhole(observer, before, writers)
  await observer.stop()
}, 300_000)

test('when the NATS server comes back empty, all events that are kept are published again', async () => {
  const access = await newObserver('emptied')
  const writers = await startWriters(installation.client, { prefix: 'emptied-nats' })
  await writers.more(30)
  await installation.nats.crash()
  await installation.nats.empty()
  await writers.more(30)
  await installation.nats.start()
  await writers.more(30)
  await writers.stop()
  const connection = await connectObserver(access)
  await eventually(
    () =>
      jetstream(connection, { domain: observerDomain }).consumers.get(streams.event, access.nats.consumer),
    { timeoutMilliseconds: 20_000 },
  )
  const observer = await observeNats(connection, access)
  await expectWhole(observer, 0, writers)
  await observer.stop()
}, 300_000)

test('when the NATS server comes back with less than it had stored, the rest is published again, in order', async () => {
  const access = await newObserver('forgotten')
  const before = await newest()
  const writers = await startWriters(installation.client, { prefix: 'forgotten-nats' })
  await writers.more(30)
  await installation.nats.crash()
  await installation.nats.copyStore()
  await installation.nats.start()
  const connection = await connectObserver(access)
  const observer = await observeNats(connection, access)
  await writers.more(60)
  await eventually(() => observer.received.length > 60, { timeoutMilliseconds: 20_000 })
  await installation.nats.crash()
  await installation.nats.restoreStore()
  await installation.nats.start()
  await writers.more(30)
  await writers.stop()
  await expectWhole(observer, before, writers)
  await observer.stop()
  // A new observer gets the whole log in order: events still in the stream were not stored twice.
  const anew = await installation.client.observers.create({ name: 'anew', start: 'oldest' })
  const second = await observeNats(await connectObserver(anew), anew)
  await expectWhole(second, 0, writers)
  expect(second.received.length).toBe(second.events().length)
  await second.stop()
}, 300_000)

test('events that NATS forgets without a broken connection are published again', async () => {
  const connect = async (options: MessagingOptions) => {
    const messaging = await connectMessaging(options)
    // As when a cluster changes its leader: nothing shows that it happened.
    return { ...messaging, session: () => 1, publishEvent: (event: Event) => messaging.publishEvent(event) }
  }
  await using unaware = await startInstallation({ overrides: { connect } })
  const { client, nats, database } = unaware
  const access = await client.observers.create({ name: 'unaware', start: 'oldest' })
  const observer = await observeNats(await connectObserver(access), access)
  const writers = await startWriters(client, { prefix: 'unaware-nats' })
  await writers.more(30)
  await nats.crash()
  await nats.copyStore()
  await nats.start()
  await writers.more(60)
  await nats.crash()
  await nats.restoreStore()
  await nats.start()
  await writers.more(30)
  await writers.stop()
  await untilAllCame(observer, 0, database.url, (await client.whoami()).organizationId)
  await observer.stop()
}, 300_000)

test('an observer may begin at a sequence of the stream, or at the oldest', async () => {
  const oldest = await installation.client.observers.create({ name: 'oldest', start: 'oldest' })
  const first = await observeNats(await connectObserver(oldest), oldest)
  await eventually(() => first.received.length > 20, { timeoutMilliseconds: 10_000 })
  expect(first.received[0]?.sequence).toBe(1)
  const sequence = first.received[10]?.sequence ?? 0
  const later = await installation.client.observers.create({ name: 'later', start: sequence })
  const second = await observeNats(await connectObserver(later), later)
  await eventually(() => second.received.length > 0, { timeoutMilliseconds: 10_000 })
  expect(second.received[0]).toEqual(first.received[10])
  await first.stop()
  await second.stop()
})

describe('credentials of an observer', () => {
  let access: ObserverAccess
  let connection: NatsConnection
  let other: { client: HearthClient; access: ObserverAccess; organizationId: string }

  beforeAll(async () => {
    access = await newObserver('own')
    connection = await connectObserver(access)
    const answer = await fetch(`${installation.url}/v1/organizations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'others', spec: { displayName: 'Others' } }),
    })
    const { token } = (await answer.json()) as { token: string }
    const client = new HearthClient({ url: installation.url, token })
    const { organizationId } = await client.whoami()
    const theirs = await client.observers.create({ name: 'theirs', start: 'oldest' })
    other = { client, access: theirs, organizationId }
  })
  afterAll(() => connection.close())

  test('show its own organization’s events and no others', async () => {
    const mine = await observeNats(await connectObserver(access), access)
    const theirs = await observeNats(await connectObserver(other.access), other.access)
    await other.client.projects.create({ name: 'theirs', labels: {}, spec: {} })
    await installation.client.projects.create({ name: 'mine', labels: {}, spec: {} })
    await eventually(() => mine.events().some(({ kind }) => kind === 'Project'), {
      timeoutMilliseconds: 10_000,
    })
    await eventually(() => theirs.events().some(({ kind }) => kind === 'Project'), {
      timeoutMilliseconds: 10_000,
    })
    expect(new Set(mine.events().map((event) => event.organizationId))).toEqual(new Set([organizationId]))
    expect(new Set(theirs.events().map((event) => event.organizationId))).toEqual(
      new Set([other.organizationId]),
    )
    await mine.stop()
    await theirs.stop()
  })

  test('let it subscribe to nothing but its inbox', async () => {
    const runnerId = newId()
    for (const subject of [
      '>',
      '_INBOX.>',
      subjects.inbox(other.access.nats.consumer),
      subjects.allEvents,
      subjects.eventsOfOrganization(organizationId),
      subjects.allWork,
      subjects.workOfRunner(runnerId),
      subjects.allReports,
      subjects.allLogs,
      subjects.allPresence,
      '$JS.API.>',
      '$JS.EVENT.>',
    ])
      expect([subject, await isDenied(connection, 'subscription', subject)]).toEqual([subject, true])
    expect(await isDenied(connection, 'subscription', `${access.nats.inboxPrefix}.mine`)).toBe(false)
  })

  test('let it publish nothing, make no consumer and use no other’s', async () => {
    const id = newId()
    const theirs = `${streams.event}.${other.access.nats.consumer}`
    for (const subject of [
      subjects.event(organizationId, 'project', id),
      subjects.work(id, 'environment', id),
      subjects.report(id, 'environment', id),
      subjects.log(id, id, 'project_setup'),
      subjects.presence(id),
      subjects.sync(id),
      `$JS.API.CONSUMER.CREATE.${streams.event}`,
      `$JS.API.CONSUMER.CREATE.${streams.event}.mine.${subjects.eventsOfOrganization(organizationId)}`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${streams.event}.mine`,
      `$JS.API.CONSUMER.MSG.NEXT.${theirs}`,
      `$JS.API.CONSUMER.INFO.${theirs}`,
      `$JS.${observerDomain}.API.CONSUMER.MSG.NEXT.${theirs}`,
      `$JS.${observerDomain}.API.CONSUMER.INFO.${theirs}`,
      `$JS.${observerDomain}.API.CONSUMER.CREATE.${streams.event}`,
      `$JS.API.CONSUMER.DELETE.${streams.event}.${access.nats.consumer}`,
      `$JS.ACK.${theirs}.1.1.1.1.1`,
      `$JS.API.CONSUMER.MSG.NEXT.${streams.work}.runner-${id}`,
      `$JS.API.STREAM.MSG.GET.${streams.event}`,
      `$JS.API.DIRECT.GET.${streams.event}`,
      `$JS.API.STREAM.INFO.${streams.work}`,
      `$JS.API.STREAM.PURGE.${streams.event}`,
      '$JS.API.STREAM.NAMES',
    ])
      expect([subject, await isDenied(connection, 'publish', subject)]).toEqual([subject, true])
  })

  test('are refused once they have ended', async () => {
    const ended = await issueObserverCredentials(
      installation.nats.observerSeed ?? '',
      access.observer.id,
      new Date(Date.now() - 60_000),
    )
    const late = { ...access, nats: { ...access.nats, credentials: ended } }
    await expect(connectObserver(late)).rejects.toThrow(/Authorization/i)
  })

  test('reach nothing once the observer is deleted', async () => {
    const deleted = await newObserver('deleted')
    const open = await connectObserver(deleted)
    await installation.client.observers.delete(deleted.observer.id)
    const { stream, consumer } = deleted.nats
    await expect(jetstream(open, { domain: observerDomain }).consumers.get(stream, consumer)).rejects.toThrow(
      /not found/,
    )
    await open.close()
  })

  test('reach nothing once the token they were made with is revoked', async () => {
    const { client } = installation
    const token = await client.tokens.create({ name: 'leaving', roles: ['viewer'] })
    const viewer = new HearthClient({ url: installation.url, token: token.secret })
    const made = await viewer.observers.create({ name: 'leaving' })
    const open = await connectObserver(made)
    await client.tokens.delete(token.id)
    await housekeeping(installation)
    const { stream, consumer } = made.nats
    await eventually(
      () =>
        jetstream(open, { domain: observerDomain })
          .consumers.get(stream, consumer)
          .then(
            () => false,
            () => true,
          ),
      { timeoutMilliseconds: 10_000 },
    )
    await expect(client.observers.get(made.observer.id)).rejects.toMatchObject({ code: 'not_found' })
    await open.close()
  })

  test('are renewed by their creator and by administrators, and the observer continues where it was', async () => {
    const renewed = await installation.client.observers.renew(access.observer.id, { hours: 48 })
    expect(renewed.nats.consumer).toBe(access.nats.consumer)
    expect(renewed.observer.expiresAt > access.observer.expiresAt).toBe(true)
    await expect(other.client.observers.renew(access.observer.id, {})).rejects.toMatchObject({
      code: 'not_found',
    })
    const token = await installation.client.tokens.create({ name: 'someone', roles: ['member'] })
    const someone = new HearthClient({ url: installation.url, token: token.secret })
    await expect(someone.observers.renew(access.observer.id, {})).rejects.toMatchObject({ code: 'forbidden' })
    await expect(someone.observers.delete(access.observer.id)).rejects.toMatchObject({ code: 'forbidden' })
  })
})
