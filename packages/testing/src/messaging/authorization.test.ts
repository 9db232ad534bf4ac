import { streams, subjects, workConsumer } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import {
  connectMessaging,
  generateNatsOperator,
  issueRunnerCredentials,
  type Messaging,
} from '@hearth/messaging'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { startTestNats, type TestNats } from '../nats.ts'
import { sampleChunk, sampleOrder, samplePresence, sampleReport } from './samples.ts'

let server: TestNats
let controlPlane: Messaging
const runnerId = newId()
const otherRunnerId = newId()
const toClose: { close(): Promise<void> }[] = []

beforeAll(async () => {
  server = await startTestNats({ authorization: true })
  controlPlane = await connectMessaging({
    servers: [server.url],
    name: 'control-plane',
    credentials: server.controlPlaneCredentials ?? '',
  })
  toClose.push(controlPlane)
  await controlPlane.ensureStreams()
  await controlPlane.ensureRunner(runnerId)
  await controlPlane.ensureRunner(otherRunnerId)
})
afterAll(async () => {
  for (const connection of toClose) await connection.close()
  await server?.[Symbol.asyncDispose]()
})

async function runnerMessaging(denied: string[]): Promise<Messaging> {
  const messaging = await connectMessaging({
    servers: [server.url],
    name: 'runner',
    credentials: await issueRunnerCredentials(server.accountSeed ?? '', runnerId),
    inboxPrefix: subjects.inbox(runnerId),
    onStatus: (status, detail) => {
      if (status === 'denied') denied.push(detail)
    },
  })
  toClose.push(messaging)
  return messaging
}

async function rawRunner(): Promise<NatsConnection> {
  const credentials = await issueRunnerCredentials(server.accountSeed ?? '', runnerId)
  const connection = await connect({
    servers: server.url,
    authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
    inboxPrefix: subjects.inbox(runnerId),
  })
  toClose.push(connection)
  return connection
}

test('a runner’s credentials suffice for everything a runner does', async () => {
  const denied: string[] = []
  const runner = await runnerMessaging(denied)
  const controller = new AbortController()
  const { signal } = controller
  const order = sampleOrder({ runnerId })
  const report = sampleReport({ runnerId })
  const chunk = sampleChunk({ environmentId: order.id })
  const seen = { orders: 0, reports: 0, presences: 0 }
  const running = [
    controlPlane.consumeReports(
      async () => {
        seen.reports += 1
      },
      signal,
      2,
    ),
    controlPlane.subscribePresence(() => {
      seen.presences += 1
    }, signal),
    controlPlane.serveSync(async () => ({ accepted: true, orders: [order], unwanted: [] }), signal),
    runner.consumeOrders(
      runnerId,
      async () => {
        seen.orders += 1
      },
      signal,
    ),
  ]
  await controlPlane.flush()
  await controlPlane.publishOrder(order, order.id)
  await runner.publishReport(report)
  await runner.publishLog(runnerId, chunk)
  runner.publishPresence(samplePresence({ runnerId }))
  const reply = await runner.requestSync({ runnerId, epoch: 1, inventory: [] }, 5_000)
  expect(reply).toMatchObject({ accepted: true, orders: [{ id: order.id }] })
  await eventually(() => seen.orders === 1 && seen.reports === 1 && seen.presences === 1, {
    timeoutMilliseconds: 5_000,
  })
  const texts: string[] = []
  for await (const { text } of controlPlane.readLogs(runnerId, order.id, { follow: false, signal }))
    texts.push(text)
  expect(texts).toEqual([chunk.text])
  controller.abort()
  await Promise.all(running)
  expect(denied).toEqual([])
})

test('publishing for another runner is refused, reported, and not stored', async () => {
  const denied: string[] = []
  const runner = await runnerMessaging(denied)
  const foreign = sampleReport({ runnerId: otherRunnerId })
  await expect(runner.publishReport(foreign)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(runner.publishLog(otherRunnerId, sampleChunk())).rejects.toMatchObject({ code: 'forbidden' })
  await eventually(() => denied.length >= 2, { timeoutMilliseconds: 2_000 })
  expect(denied[0]).toContain(subjects.report(otherRunnerId, 'environment', foreign.id))

  runner.publishPresence(samplePresence({ runnerId: otherRunnerId }))
  await runner.flush()
  await eventually(() => denied.some((detail) => detail.includes(subjects.presence(otherRunnerId))), {
    timeoutMilliseconds: 2_000,
  })
})

test('taking another runner’s orders is refused and reported, and they stay where they are', async () => {
  const denied: string[] = []
  const runner = await runnerMessaging(denied)
  const order = sampleOrder({ runnerId: otherRunnerId })
  await controlPlane.publishOrder(order, order.id)
  const controller = new AbortController()
  let taken = 0
  const consuming = runner.consumeOrders(
    otherRunnerId,
    async () => {
      taken += 1
    },
    controller.signal,
  )
  await eventually(() => denied.some((detail) => detail.includes(workConsumer(otherRunnerId))), {
    timeoutMilliseconds: 5_000,
  })
  controller.abort()
  await consuming
  expect(taken).toBe(0)
})

const foreignSubscriptions = [
  subjects.allWork,
  subjects.workOfRunner(otherRunnerId),
  subjects.allReports,
  subjects.allLogs,
  subjects.allEvents,
  subjects.allSyncs,
  subjects.allPresence,
  `${subjects.inbox(otherRunnerId)}.>`,
  '_INBOX.>',
  '$JS.API.>',
  '>',
]
test.each(foreignSubscriptions)('subscribing to %s is refused', async (subject) => {
  const raw = await rawRunner()
  const refused = new Promise<string>((resolve, reject) => {
    raw.subscribe(subject, {
      callback: (error) => (error === null ? reject(new Error('a message came')) : resolve(error.message)),
    })
  })
  await raw.flush()
  expect(await refused).toContain('Permissions Violation')
})

test.each([
  ['streams', `$JS.API.STREAM.INFO.${streams.work}`],
  ['the account', '$JS.API.INFO'],
  ['messages by number', `$JS.API.STREAM.MSG.GET.${streams.log}`],
  ['a purge', `$JS.API.STREAM.PURGE.${streams.work}`],
  ['a consumer of its own making', `$JS.API.CONSUMER.CREATE.${streams.work}`],
  ['another’s consumer', `$JS.API.CONSUMER.INFO.${streams.work}.${workConsumer(otherRunnerId)}`],
])('asking JetStream for %s is refused', async (_, subject) => {
  const raw = await rawRunner()
  await expect(raw.request(subject, '', { timeout: 3_000 })).rejects.toThrow('Permissions Violation')
})

test('a runner cannot make NATS write on another’s subjects by naming them as the reply subject', async () => {
  const raw = await rawRunner()
  const order = sampleOrder({ runnerId: otherRunnerId })
  await controlPlane.publishOrder(order, order.id)
  const target = subjects.work(otherRunnerId, 'environment', order.id)
  const report = sampleReport({ runnerId })
  raw.publish(subjects.report(runnerId, 'environment', report.id), JSON.stringify(report), { reply: target })
  const own = sampleOrder({ runnerId })
  await controlPlane.publishOrder(own, own.id)
  raw.publish(
    `$JS.API.CONSUMER.MSG.NEXT.${streams.work}.${workConsumer(runnerId)}`,
    JSON.stringify({ batch: 1, expires: 1_000_000_000 }),
    { reply: target },
  )
  await raw.flush()

  const observer = await connect({
    servers: server.url,
    authenticator: credsAuthenticator(new TextEncoder().encode(server.controlPlaneCredentials ?? '')),
  })
  toClose.push(observer)
  const manager = await jetstreamManager(observer)
  // The report has arrived, so its acknowledgement has been sent to the reply subject.
  await eventually(
    async () => {
      const query = { last_by_subj: subjects.report(runnerId, 'environment', report.id) }
      return manager.streams.getMessage(streams.report, query)
    },
    { timeoutMilliseconds: 5_000 },
  )
  const kept = await manager.streams.getMessage(streams.work, { last_by_subj: target })
  expect(kept?.json()).toMatchObject({ id: order.id })
})

test('credentials that expire during use are reported once, and reconnecting is tried again and again', async () => {
  const statuses: string[] = []
  const messaging = await connectMessaging({
    servers: [server.url],
    name: 'runner',
    credentials: await issueRunnerCredentials(server.accountSeed ?? '', runnerId, {
      expiresAt: new Date(systemClock.now().getTime() + 2_000),
    }),
    inboxPrefix: subjects.inbox(runnerId),
    onStatus: (status, detail) => statuses.push(`${status} ${detail}`),
  })
  toClose.push(messaging)
  const refused = 'denied Authorization Violation'
  await eventually(() => statuses.includes(refused), { timeoutMilliseconds: 10_000 })
  expect(statuses).toContain('denied User Authentication Expired')
  expect(messaging.isConnected()).toBe(false)
  expect(statuses.filter((status) => status === refused)).toHaveLength(1)
  expect(statuses.some((status) => status.startsWith('closed'))).toBe(false)
})

test('credentials that expired before a server was there are requested again until they are valid', async () => {
  const ended = await issueRunnerCredentials(server.accountSeed ?? '', runnerId, {
    expiresAt: new Date('2026-01-01T00:00:00Z'),
  })
  const renewed = await issueRunnerCredentials(server.accountSeed ?? '', runnerId)
  const statuses: string[] = []
  let newest = ended
  const connecting = connectMessaging({
    servers: [server.url],
    name: 'runner',
    credentials: () => newest,
    inboxPrefix: subjects.inbox(runnerId),
    onStatus: (status) => {
      statuses.push(status)
      if (status === 'denied') newest = renewed
    },
  })
  const messaging = await connecting
  toClose.push(messaging)
  expect(statuses).toContain('denied')
  expect(messaging.isConnected()).toBe(true)
})

test('without credentials, with those of another installation, or with expired ones nobody can connect', async () => {
  const own = { servers: [server.url], name: 'stranger' }
  await expect(connectMessaging(own)).rejects.toMatchObject({ code: 'unauthenticated' })
  const { runnerAccountSeed } = await generateNatsOperator()
  const foreign = await issueRunnerCredentials(runnerAccountSeed, runnerId)
  await expect(connectMessaging({ ...own, credentials: foreign })).rejects.toMatchObject({
    code: 'unauthenticated',
  })
  const expired = await issueRunnerCredentials(server.accountSeed ?? '', runnerId, {
    expiresAt: new Date('2026-01-01T00:00:00Z'),
  })
  await expect(connectMessaging({ ...own, credentials: expired })).rejects.toMatchObject({
    code: 'unauthenticated',
  })
})
