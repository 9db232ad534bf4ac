import { type SyncRequest, subjects } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNats, type TestNats } from '../nats.ts'
import { sampleOrder, samplePresence } from './samples.ts'

let server: TestNats
let agent: Messaging
let replicas: [Messaging, Messaging]

beforeAll(async () => {
  server = await startTestNats()
  const open = (name: string) => connectMessaging({ servers: [server.url], name })
  agent = await open('agent')
  replicas = [await open('replica 1'), await open('replica 2')]
})
afterAll(async () => {
  for (const messaging of [agent, ...(replicas ?? [])]) await messaging?.close()
  await server?.[Symbol.asyncDispose]()
})

const request = (): SyncRequest => ({ runnerId: newId(), epoch: 1, inventory: [] })

test('each request is answered by one replica, with the whole desired set', async () => {
  const controller = new AbortController()
  const answered = [0, 0]
  const orders = Array.from({ length: 300 }, () => sampleOrder())
  const serving = replicas.map((replica, index) =>
    replica.serveSync(async () => {
      answered[index] = (answered[index] ?? 0) + 1
      return { accepted: true, orders, unwanted: [] }
    }, controller.signal),
  )
  await Promise.all(replicas.map((replica) => replica.flush()))
  const replies = await Promise.all(Array.from({ length: 40 }, () => agent.requestSync(request(), 5_000)))
  expect(replies.every((reply) => reply.accepted && reply.orders.length === 300)).toBe(true)
  expect((answered[0] ?? 0) + (answered[1] ?? 0)).toBe(40)
  expect(Math.min(...answered)).toBeGreaterThan(0)
  controller.abort()
  await Promise.all(serving)
})

test('a request nobody serves, or whose handling fails, is unavailable at once and may be repeated', async () => {
  await expect(agent.requestSync(request(), 5_000)).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
  })
  const controller = new AbortController()
  const serving = replicas[0].serveSync(async () => {
    throw new HearthError('unavailable', 'the database is away')
  }, controller.signal)
  await replicas[0].flush()
  await expect(agent.requestSync(request(), 5_000)).rejects.toThrow('the database is away')
  controller.abort()
  await serving
})

test('a request with a reply subject outside the runner’s inbox is not answered', async () => {
  const controller = new AbortController()
  let answers = 0
  const serving = replicas[0].serveSync(async () => {
    answers += 1
    return { accepted: true, orders: [], unwanted: [] }
  }, controller.signal)
  await replicas[0].flush()
  const runner = await connect({ servers: server.url })
  const asked = request()
  runner.publish(subjects.sync(asked.runnerId), JSON.stringify(asked), {
    reply: subjects.work(newId(), 'environment', newId()),
  })
  await runner.flush()
  await agent.requestSync(request(), 5_000)
  expect(answers).toBe(1)
  controller.abort()
  await serving
  await runner.close()
})

test('every subscriber gets each heartbeat, except one that names another runner than its subject', async () => {
  const controller = new AbortController()
  const good = samplePresence()
  const seen: string[][] = [[], []]
  const subscriptions = replicas.map((replica, index) =>
    replica.subscribePresence(({ runnerId }) => {
      seen[index]?.push(runnerId)
      if (seen.every((list) => list.length > 0)) controller.abort()
    }, controller.signal),
  )
  await Promise.all(replicas.map((replica) => replica.flush()))
  const liar = await connect({ servers: server.url })
  liar.publish(subjects.presence(newId()), JSON.stringify(samplePresence()))
  await liar.flush()
  agent.publishPresence(good)
  await Promise.all(subscriptions)
  expect(seen).toEqual([[good.runnerId], [good.runnerId]])
  await liar.close()
})
