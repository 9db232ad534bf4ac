import { subjects } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { type ConnectionStatus, connectMessaging, issueRunnerCredentials } from '@hearth/messaging'
import { expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { startTestNats } from '../nats.ts'
import { sampleChunk, sampleOrder, samplePresence, sampleReport } from './samples.ts'

test('everything goes on by itself after the server was killed and started again on its store', async () => {
  await using server = await startTestNats({ authorization: true })
  const statuses: ConnectionStatus[] = []
  const messaging = await connectMessaging({
    servers: [server.url],
    name: 'control-plane',
    credentials: server.controlPlaneCredentials ?? '',
  })
  await messaging.ensureStreams()
  const runnerId = newId()
  const runner = await connectMessaging({
    servers: [server.url],
    name: 'runner',
    credentials: await issueRunnerCredentials(server.accountSeed ?? '', runnerId),
    inboxPrefix: subjects.inbox(runnerId),
    onStatus: (status) => statuses.push(status),
  })
  await messaging.ensureRunner(runnerId)

  const controller = new AbortController()
  const { signal } = controller
  const environmentId = newId()
  const seen = { orders: [] as number[], reports: [] as number[], logs: '', presences: 0 }
  const follow = async () => {
    for await (const { text } of messaging.readLogs(runnerId, environmentId, { follow: true, signal }))
      seen.logs += text
  }
  const running = [
    runner.consumeOrders(runnerId, async ({ generation }) => void seen.orders.push(generation), signal),
    messaging.consumeReports(
      async (reports) => void seen.reports.push(...reports.map(({ sequence }) => sequence)),
      signal,
      2,
    ),
    messaging.subscribePresence(() => {
      seen.presences += 1
    }, signal),
    messaging.serveSync(async () => ({ accepted: true, orders: [], unwanted: [] }), signal),
    follow(),
  ]
  const order = sampleOrder({ runnerId })
  const report = sampleReport({ runnerId })
  const chunk = sampleChunk({ environmentId })
  const round = async (number: number) => {
    await messaging.publishOrder({ ...order, generation: number }, `${order.id}.${number}`)
    await runner.publishReport({ ...report, sequence: number })
    await runner.publishLog(runnerId, { ...chunk, offset: number, text: `${number}` })
  }
  const seenAll = (count: number) =>
    eventually(
      () => seen.orders.length >= count && seen.reports.length >= count && seen.logs.length >= count,
      {
        timeoutMilliseconds: 30_000,
      },
    )

  await round(1)
  await seenAll(1)
  const restarted = server.crashAndRestart()
  await eventually(() => !runner.isConnected(), { timeoutMilliseconds: 5_000 })
  // Started while no server listens: each publication waits for the server and is then stored once.
  const publishing = round(2)
  await restarted
  await publishing
  await round(3)
  await seenAll(3)
  expect(seen).toMatchObject({ orders: [1, 2, 3], reports: [1, 2, 3], logs: '123' })

  runner.publishPresence(samplePresence({ runnerId }))
  await eventually(() => seen.presences === 1, { timeoutMilliseconds: 5_000 })
  const reply = await runner.requestSync({ runnerId, epoch: 1, inventory: [] }, 5_000)
  expect(reply.accepted).toBe(true)

  controller.abort()
  await Promise.all(running)
  await runner.close()
  await messaging.close()
  expect(statuses).toEqual(['connected', 'disconnected', 'reconnected', 'closed'])
})

test('connecting waits for a server that is not there yet; a signal gives it up', async () => {
  await using server = await startTestNats()
  await server.stop()
  const statuses: ConnectionStatus[] = []
  const options = {
    servers: [server.url],
    name: 'early',
    onStatus: (status: ConnectionStatus) => statuses.push(status),
  }
  const connecting = connectMessaging(options)
  await eventually(() => statuses.includes('disconnected'), { timeoutMilliseconds: 5_000 })
  const controller = new AbortController()
  const givenUp = connectMessaging({ ...options, signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(givenUp).rejects.toThrow('enough')
  await server.start()
  const messaging = await connecting
  expect(messaging.isConnected()).toBe(true)
  await messaging.close()
})

test('closing ends what waits: consumers resolve and a publish that cannot be stored fails', async () => {
  await using server = await startTestNats()
  const messaging = await connectMessaging({ servers: [server.url], name: 'closing' })
  await messaging.ensureStreams()
  const runnerId = newId()
  await messaging.ensureRunner(runnerId)
  const { signal } = new AbortController()
  const consuming = [
    messaging.consumeOrders(runnerId, async () => undefined, signal),
    messaging.consumeReports(async () => undefined, signal, 1),
    messaging.subscribePresence(() => undefined, signal),
  ]
  await messaging.flush()
  await server.stop()
  await eventually(() => !messaging.isConnected(), { timeoutMilliseconds: 5_000 })
  const publishing = expect(messaging.publishReport(sampleReport())).rejects.toMatchObject({
    code: 'unavailable',
  })
  await messaging.close()
  await Promise.all(consuming)
  await publishing
})
