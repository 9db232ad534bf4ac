import { readFile } from 'node:fs/promises'
import { streams, subjects } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { connectMessaging, issueRunnerCredentials, revokeRunners } from '@hearth/messaging'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNatsCluster, type TestNatsCluster } from '../nats-cluster.ts'
import { sampleChunk, sampleOrder, sampleReport } from './samples.ts'

let cluster: TestNatsCluster
beforeAll(async () => {
  cluster = await startTestNatsCluster()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const connectControlPlane = (replicas?: number) =>
  connectMessaging({
    servers: cluster.urls,
    name: 'control-plane',
    credentials: cluster.controlPlaneCredentials,
    ...(replicas === undefined ? {} : { replicas }),
  })

/** Number of copies of each stream and of its consumers. */
async function copies(): Promise<Record<string, number[]>> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(cluster.controlPlaneCredentials))
  const connection = await connect({ servers: [...cluster.urls], authenticator })
  try {
    const manager = await jetstreamManager(connection)
    const counted: Record<string, number[]> = {}
    for (const { config } of await manager.streams.list().next()) {
      const consumers = await manager.consumers.list(config.name).next()
      const followers = consumers.map(({ cluster: group }) => 1 + (group?.replicas ?? []).length)
      counted[config.name] = [config.num_replicas, ...followers]
    }
    return counted
  } finally {
    await connection.close()
  }
}

test('existing streams and consumers get the requested number of copies, and keep theirs if none is requested', async () => {
  const single = await connectControlPlane()
  await single.ensureStreams()
  await single.ensureRunner(newId())
  expect(await copies()).toMatchObject({
    [streams.work]: [1, 1],
    [streams.report]: [1, 1],
    [streams.log]: [1],
  })
  const several = await connectControlPlane(3)
  await several.ensureStreams()
  const threefold = {
    [streams.work]: [3, 3],
    [streams.report]: [3, 3],
    [streams.log]: [3],
    [streams.event]: [3],
  }
  await expect.poll(copies, { timeout: 20_000 }).toEqual(threefold)
  await single.ensureStreams()
  expect(await copies()).toEqual(threefold)
  await single.close()
  await several.close()
})

test('any server killed, also the one that leads: no order, report or piece of output is lost for good', async () => {
  const messaging = await connectControlPlane(3)
  await messaging.ensureStreams()
  const runnerId = newId()
  const runner = await connectMessaging({
    servers: cluster.urls,
    name: 'runner',
    credentials: await issueRunnerCredentials(cluster.accountSeed, runnerId),
    inboxPrefix: subjects.inbox(runnerId),
  })
  await messaging.ensureRunner(runnerId)
  const controller = new AbortController()
  const { signal } = controller
  const environmentId = newId()
  const seen = { orders: 0, reports: new Set<number>(), logs: '' }
  const follow = async () => {
    for await (const { text } of messaging.readLogs(runnerId, environmentId, { follow: true, signal }))
      seen.logs += text
  }
  const take = async ({ generation }: { generation: number }) => {
    seen.orders = generation
  }
  const takeReports = async (reports: readonly { sequence: number }[]) => {
    for (const { sequence } of reports) seen.reports.add(sequence)
  }
  const running = [
    runner.consumeOrders(runnerId, take, signal),
    messaging.consumeReports(takeReports, signal, 2),
    follow(),
  ]
  const order = sampleOrder({ runnerId })
  const report = sampleReport({ runnerId })
  const chunk = sampleChunk({ environmentId })
  let number = 0
  const round = async () => {
    const next = ++number
    await messaging.publishOrder({ ...order, generation: next }, `${order.id}.${next}`)
    await runner.publishReport({ ...report, sequence: next })
    await runner.publishLog(runnerId, { ...chunk, offset: next, text: `${next} ` })
  }
  for (const stream of [streams.work, streams.report, streams.log]) {
    await cluster.untilWhole()
    const leader = await cluster.leaderOf(stream)
    await round()
    const killed = cluster.kill(leader)
    for (let rounds = 0; rounds < 5; rounds++) await round()
    await killed
    await cluster.start(leader)
    await round()
  }
  await cluster.untilWhole()
  const atOnce = seen.reports.size
  // As an agent does with each synchronisation: a 2.9 server may forget messages that it acknowledged.
  for (let sequence = 1; sequence <= number; sequence++)
    await runner.publishReport({ ...report, epoch: report.epoch + 1, sequence })
  const counted = () => ({
    orders: seen.orders,
    reports: seen.reports.size,
    logs: seen.logs.trim().split(' ').length,
  })
  const all = { orders: number, reports: number, logs: number }
  await expect.poll(counted, { timeout: 60_000 }).toEqual(all)
  console.info(`${atOnce} of ${number} reports came before they were told again`)
  controller.abort()
  await Promise.all(running)
  await runner.close()
  await messaging.close()
}, 180_000)

test('a revocation at one server takes effect at all, also at one that was down', async () => {
  const [runnerId, other] = [newId(), newId()]
  const credentials = await issueRunnerCredentials(cluster.accountSeed, runnerId)
  const connectAt = (url: string, text: string) =>
    connect({
      servers: url,
      authenticator: credsAuthenticator(new TextEncoder().encode(text)),
      reconnect: false,
    })
  const [first = '', second = '', third = ''] = cluster.urls
  const open = await Promise.all([first, second].map((url) => connectAt(url, credentials)))
  const ended = open.map((connection) => connection.closed())
  await cluster.kill(2)
  const keys = {
    runnerAccountSeed: cluster.accountSeed,
    signingSeed: (await readFile(cluster.signingSeedFile, 'utf8')).trim(),
    systemCredentials: await readFile(cluster.systemCredentialsFile, 'utf8'),
  }
  expect(await revokeRunners([first], keys, [runnerId])).toBe('revoked')
  expect(await revokeRunners([first], keys, [runnerId])).toBe('known')
  await Promise.all(ended)
  await cluster.start(2)
  // A returning server receives the others' claims as soon as its routes are connected.
  await expect
    .poll(() => revokeRunners([third], keys, [runnerId]).catch(String), { timeout: 30_000 })
    .toBe('known')
  for (const url of cluster.urls) {
    await expect(connectAt(url, credentials)).rejects.toThrow('Authorization Violation')
    const good = await connectAt(url, await issueRunnerCredentials(cluster.accountSeed, other))
    await good.close()
  }
})
