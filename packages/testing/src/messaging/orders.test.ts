import { streams, subjects, workConsumer } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { startTestNats, type TestNats } from '../nats.ts'
import { sampleOrder } from './samples.ts'

let server: TestNats
let messaging: Messaging
let observer: NatsConnection
const problems: string[] = []

beforeAll(async () => {
  server = await startTestNats()
  messaging = await connectMessaging({
    servers: [server.url],
    name: 'orders',
    onProblem: (subject) => problems.push(subject),
  })
  await messaging.ensureStreams()
  observer = await connect({ servers: server.url })
})
afterAll(async () => {
  await messaging?.close()
  await observer?.close()
  await server?.[Symbol.asyncDispose]()
})

async function pendingOrders(runnerId: string): Promise<number> {
  const manager = await jetstreamManager(observer)
  const info = await manager.consumers.info(streams.work, workConsumer(runnerId))
  return info.num_pending + info.num_ack_pending
}

test('a runner that was away gets the newest order of each environment and no older one', async () => {
  const runnerId = newId()
  await messaging.ensureRunner(runnerId)
  const first = sampleOrder({ runnerId })
  const other = sampleOrder({ runnerId })
  for (const generation of [1, 2, 3]) {
    await messaging.publishOrder({ ...first, generation }, `${first.id}.${generation}`)
  }
  await messaging.publishOrder(other, other.id)

  const seen: string[] = []
  const controller = new AbortController()
  await messaging.consumeOrders(
    runnerId,
    async (order) => {
      seen.push(`${order.id} ${order.generation}`)
      if (seen.length === 2) controller.abort()
    },
    controller.signal,
  )
  expect(seen).toEqual([`${first.id} 3`, `${other.id} 1`])
})

test('an order is acknowledged only once it was handled, and comes again until then', async () => {
  const runnerId = newId()
  await messaging.ensureRunner(runnerId)
  const order = sampleOrder({ runnerId })
  await messaging.publishOrder(order, order.id)
  let attempts = 0
  const controller = new AbortController()
  await messaging.consumeOrders(
    runnerId,
    async () => {
      attempts += 1
      if (attempts < 3) throw new Error('not yet')
      controller.abort()
    },
    controller.signal,
  )
  await messaging.flush()
  expect(attempts).toBe(3)
  await eventually(async () => (await pendingOrders(runnerId)) === 0, { timeoutMilliseconds: 2_000 })
})

test('a message that is not an order for this runner is dropped and reported, and the next is handled', async () => {
  const runnerId = newId()
  await messaging.ensureRunner(runnerId)
  const foreign = sampleOrder()
  observer.publish(subjects.work(runnerId, 'environment', newId()), 'no JSON')
  const foreignSubject = subjects.work(runnerId, 'environment', foreign.id)
  observer.publish(foreignSubject, JSON.stringify(foreign))
  await observer.flush()
  const good = sampleOrder({ runnerId })
  await messaging.publishOrder(good, good.id)

  const before = problems.length
  const seen: string[] = []
  const controller = new AbortController()
  await messaging.consumeOrders(
    runnerId,
    async (order) => {
      seen.push(order.id)
      controller.abort()
    },
    controller.signal,
  )
  expect(seen).toEqual([good.id])
  expect(problems.slice(before)).toHaveLength(2)
  expect(problems).toContain(foreignSubject)
  await eventually(async () => (await pendingOrders(runnerId)) === 0, { timeoutMilliseconds: 2_000 })
})

test('an order of an unknown kind is reported and not handled, and stays for a newer version', async () => {
  const runnerId = newId()
  await messaging.ensureRunner(runnerId)
  const unknown = { ...sampleOrder({ runnerId }), kind: 'marker', id: newId() }
  const good = sampleOrder({ runnerId })
  await messaging.publishOrder(unknown, unknown.id)
  await messaging.publishOrder(good, good.id)
  const before = problems.length
  expect(await takeOrders(runnerId, 1)).toEqual([good.id])
  expect(problems.slice(before)).toEqual([subjects.work(runnerId, 'marker', unknown.id)])
  await eventually(async () => (await pendingOrders(runnerId)) === 0, { timeoutMilliseconds: 2_000 })
  const manager = await jetstreamManager(observer)
  const kept = await manager.streams.getMessage(streams.work, {
    last_by_subj: subjects.work(runnerId, 'marker', unknown.id),
  })
  expect(kept?.json()).toMatchObject({ kind: 'marker', id: unknown.id })
})

async function takeOrders(runnerId: string, count: number): Promise<string[]> {
  const seen: string[] = []
  const controller = new AbortController()
  await messaging.consumeOrders(
    runnerId,
    async (order) => {
      seen.push(order.id)
      if (seen.length === count) controller.abort()
    },
    controller.signal,
  )
  return seen
}

test('a purged order is gone, the others of its runner still come, and purging twice is no fault', async () => {
  const runnerId = newId()
  await messaging.ensureRunner(runnerId)
  const order = sampleOrder({ runnerId })
  const kept = sampleOrder({ runnerId })
  await messaging.publishOrder(order, order.id)
  await messaging.publishOrder(kept, kept.id)
  expect(await pendingOrders(runnerId)).toBe(2)
  await messaging.purgeOrder(runnerId, 'environment', order.id)
  await messaging.purgeOrder(runnerId, 'environment', order.id)
  expect(await pendingOrders(runnerId)).toBe(1)
  expect(await takeOrders(runnerId, 1)).toEqual([kept.id])
})

test('the orders of a removed runner are gone, those of the others stay, and removing twice is no fault', async () => {
  const removed = newId()
  const other = newId()
  for (const runnerId of [removed, other]) {
    await messaging.ensureRunner(runnerId)
    await messaging.ensureRunner(runnerId)
  }
  const lost = sampleOrder({ runnerId: removed })
  const kept = sampleOrder({ runnerId: other })
  await messaging.publishOrder(kept, kept.id)
  await messaging.publishOrder(lost, lost.id)
  await messaging.removeRunner(removed)
  await messaging.removeRunner(removed)
  await messaging.ensureRunner(removed)
  expect(await pendingOrders(removed)).toBe(0)
  expect(await takeOrders(other, 1)).toEqual([kept.id])
})

test('consuming may begin before the runner has a consumer', async () => {
  const runnerId = newId()
  const order = sampleOrder({ runnerId })
  const controller = new AbortController()
  const consuming = messaging.consumeOrders(runnerId, async () => controller.abort(), controller.signal)
  await messaging.flush()
  await messaging.ensureRunner(runnerId)
  await messaging.publishOrder(order, order.id)
  await consuming
})

test('ensureStreams changes nothing when it is repeated, also twice at once', async () => {
  const manager = await jetstreamManager(observer)
  const before = (await manager.streams.info(streams.work)).config
  await Promise.all([messaging.ensureStreams(), messaging.ensureStreams()])
  expect((await manager.streams.info(streams.work)).config).toEqual(before)
  expect(before).toMatchObject({ max_msgs_per_subject: 1, storage: 'file', discard: 'old' })
})

test('a correct stream is not written again, and a wrong one is corrected', async () => {
  const manager = await jetstreamManager(observer)
  const updated: string[] = []
  observer.subscribe('$JS.EVENT.ADVISORY.STREAM.UPDATED.>', {
    callback: (_, { subject }) => {
      updated.push(subject.split('.').at(-1) ?? '')
    },
  })
  await observer.flush()
  await messaging.ensureStreams()
  await manager.streams.update(streams.work, { max_msgs_per_subject: 2 })
  await eventually(() => updated.length > 0, { timeoutMilliseconds: 10_000 })
  expect(updated).toEqual([streams.work])
  await messaging.ensureStreams()
  await eventually(() => updated.length > 1, { timeoutMilliseconds: 10_000 })
  expect(updated).toEqual([streams.work, streams.work])
  expect((await manager.streams.info(streams.work)).config.max_msgs_per_subject).toBe(1)
})
