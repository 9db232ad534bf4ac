import { reportConsumer, streams, subjects } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { connectMessaging, type Messaging, type MessagingOptions, UnknownWork } from '@hearth/messaging'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { startTestNats, type TestNats } from '../nats.ts'
import { sampleReport } from './samples.ts'

let server: TestNats
let observer: NatsConnection
const open: Messaging[] = []

async function newMessaging(changes: Partial<MessagingOptions> = {}): Promise<Messaging> {
  const messaging = await connectMessaging({ servers: [server.url], name: 'reports', ...changes })
  open.push(messaging)
  return messaging
}

beforeAll(async () => {
  server = await startTestNats()
  observer = await connect({ servers: server.url })
})
beforeEach(async () => {
  const manager = await jetstreamManager(observer)
  await manager.streams.delete(streams.report).catch(() => false)
  await (await newMessaging()).ensureStreams()
})
afterAll(async () => {
  for (const messaging of open) await messaging.close()
  await observer?.close()
  await server?.[Symbol.asyncDispose]()
})

async function consumerInfo() {
  return (await jetstreamManager(observer)).consumers.info(streams.report, reportConsumer)
}

async function allAcknowledged(): Promise<boolean> {
  const info = await consumerInfo()
  return info.num_pending + info.num_ack_pending === 0
}

test('a report of an unknown kind is set aside and reported, and delays no other', async () => {
  const problems: Error[] = []
  const messaging = await newMessaging({ onProblem: (_, problem) => problems.push(problem) })
  const good = sampleReport()
  await messaging.publishReport({ ...sampleReport(), kind: 'marker' })
  await messaging.publishReport(good)
  const handled: string[] = []
  const controller = new AbortController()
  await messaging.consumeReports(
    async (reports) => {
      handled.push(...reports.map(({ id }) => id))
      controller.abort()
    },
    controller.signal,
    4,
  )
  expect(handled).toEqual([good.id])
  expect(problems).toEqual([new UnknownWork('marker')])
})

test('a report that fails is retried until it succeeds, before any later one of its subject', async () => {
  const messaging = await newMessaging()
  const failing = sampleReport()
  const other = sampleReport()
  for (const sequence of [1, 2, 3]) await messaging.publishReport({ ...failing, sequence })
  for (const sequence of [1, 2, 3]) await messaging.publishReport({ ...other, sequence })
  const handled: string[] = []
  let failures = 0
  const controller = new AbortController()
  const consuming = messaging.consumeReports(
    async (reports) => {
      if (failures < 3 && reports.some(({ id, sequence }) => id === failing.id && sequence === 1)) {
        failures += 1
        throw new Error('it cannot be handled')
      }
      handled.push(...reports.map(({ id, sequence }) => `${id} ${sequence}`))
    },
    controller.signal,
    4,
  )
  await eventually(() => handled.length === 6, { timeoutMilliseconds: 10_000 })
  await eventually(allAcknowledged, { timeoutMilliseconds: 2_000 })
  controller.abort()
  await consuming
  const of = (id: string) => handled.filter((entry) => entry.startsWith(id)).map((entry) => entry.slice(-1))
  expect(failures).toBe(3)
  expect(of(failing.id)).toEqual(['1', '2', '3'])
  expect(of(other.id)).toEqual(['1', '2', '3'])
  // The failing report delayed no other.
  expect(handled.slice(0, 3).every((entry) => entry.startsWith(other.id))).toBe(true)
})

test('waiting reports come together, at most the given number, and never one subject twice at once', async () => {
  const messaging = await newMessaging()
  const environments = Array.from({ length: 8 }, () => sampleReport())
  for (const sequence of [1, 2, 3, 4]) {
    await Promise.all(environments.map((report) => messaging.publishReport({ ...report, sequence })))
  }
  const running = new Set<string>()
  const sizes: number[] = []
  const handled = new Map<string, number[]>()
  const controller = new AbortController()
  const consuming = messaging.consumeReports(
    async (reports) => {
      const ids = new Set(reports.map(({ id }) => id))
      for (const id of ids) expect(running.has(id)).toBe(false)
      for (const id of ids) running.add(id)
      sizes.push(reports.length)
      await new Promise((resolve) => setTimeout(resolve, 5))
      for (const { id, sequence } of reports) handled.set(id, [...(handled.get(id) ?? []), sequence])
      for (const id of ids) running.delete(id)
    },
    controller.signal,
    10,
  )
  await eventually(() => [...handled.values()].flat().length === 32, { timeoutMilliseconds: 10_000 })
  controller.abort()
  await consuming
  expect(Math.max(...sizes)).toBeLessThanOrEqual(10)
  expect(sizes.length).toBeLessThan(32)
  for (const sequences of handled.values()) expect(sequences).toEqual([1, 2, 3, 4])
})

test('reports that one process received and did not handle go to another when the first stops', async () => {
  const first = await newMessaging()
  const second = await newMessaging()
  const report = sampleReport()
  for (const sequence of [1, 2, 3]) await first.publishReport({ ...report, sequence })

  const firstController = new AbortController()
  let begun = false
  const firstConsuming = first.consumeReports(
    async () => {
      begun = true
      throw new Error('never works here')
    },
    firstController.signal,
    1,
  )
  await eventually(() => begun, { timeoutMilliseconds: 5_000 })
  firstController.abort()
  await firstConsuming

  // Delivery is at least once: reports that the first reader returned may come twice.
  const seen = new Set<number>()
  const secondController = new AbortController()
  await second.consumeReports(
    async (reports) => {
      for (const { sequence } of reports) seen.add(sequence)
      if (seen.size === 3) secondController.abort()
    },
    secondController.signal,
    1,
  )
  expect([...seen].sort()).toEqual([1, 2, 3])
})

test('stopping waits for the report that is being handled, which then is acknowledged', async () => {
  const messaging = await newMessaging()
  await messaging.publishReport(sampleReport())
  const controller = new AbortController()
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let stopped = false
  const consuming = messaging
    .consumeReports(
      async () => {
        controller.abort()
        await released
      },
      controller.signal,
      1,
    )
    .then(() => {
      stopped = true
    })
  await new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()))
  // Anything that would have ended the reader arrives before the answers to these requests.
  for (let turn = 0; turn < 5; turn += 1) await messaging.flush()
  expect(stopped).toBe(false)
  release()
  await consuming
  await messaging.flush()
  await eventually(allAcknowledged, { timeoutMilliseconds: 2_000 })
})

test('using up a report’s possible message ids does not keep it from being stored', async () => {
  const messaging = await newMessaging()
  const report = sampleReport()
  const foreign = subjects.report(newId(), 'environment', report.id)
  const guesses = ['', `${report.runnerId}.`, `${report.runnerId}.environment.`].map(
    (start) => `${start}${report.id}.${report.epoch}.${report.sequence}`,
  )
  for (const msgID of guesses) await jetstream(observer).publish(foreign, '{}', { msgID })
  await messaging.publishReport(report)
  expect((await consumerInfo()).num_pending).toBe(guesses.length + 1)
})

test('a report whose runner differs from that of its subject is dropped', async () => {
  const messaging = await newMessaging()
  const foreign = sampleReport()
  observer.publish(subjects.report(newId(), 'environment', foreign.id), JSON.stringify(foreign))
  await observer.flush()
  const good = sampleReport()
  await messaging.publishReport(good)
  const seen: string[] = []
  const controller = new AbortController()
  const consuming = messaging.consumeReports(
    async (reports) => void seen.push(...reports.map(({ id }) => id)),
    controller.signal,
    2,
  )
  await eventually(() => seen.length > 0, { timeoutMilliseconds: 5_000 })
  await eventually(allAcknowledged, { timeoutMilliseconds: 2_000 })
  controller.abort()
  await consuming
  expect(seen).toEqual([good.id])
})

test('reports beyond a runner’s limit of bytes are dropped, and those of others behind them are received', async () => {
  const messaging = await newMessaging()
  const flooding = newId()
  const sent = 96
  const message = 'x'.repeat(1_000_000)
  const flood = Array.from({ length: sent }, () =>
    sampleReport({ runnerId: flooding, phase: 'failed', failure: { code: 'command_failed', message } }),
  )
  for (const report of flood) {
    observer.publish(subjects.report(flooding, 'environment', report.id), JSON.stringify(report))
  }
  await observer.flush()
  const other = sampleReport()
  await messaging.publishReport(other)
  const heard = new Map<string, number>()
  const controller = new AbortController()
  const consuming = messaging.consumeReports(
    async (reports) => {
      for (const { runnerId } of reports) heard.set(runnerId, (heard.get(runnerId) ?? 0) + 1)
    },
    controller.signal,
    10,
  )
  await eventually(() => heard.get(other.runnerId) === 1, { timeoutMilliseconds: 20_000 })
  await eventually(allAcknowledged, { timeoutMilliseconds: 20_000 })
  controller.abort()
  await consuming
  // The limit: 32 MiB at once, and 8 MiB more for each second of reading.
  expect(heard.get(flooding)).toBeGreaterThanOrEqual(32)
  expect(heard.get(flooding)).toBeLessThan(sent)
}, 60_000)
