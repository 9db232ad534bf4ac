import type {
  Event,
  LogChunk,
  ObservedEvents,
  ObserverStart,
  OrderEnvelope,
  Presence,
  ReportEnvelope,
  SyncReply,
  SyncRequest,
  WorkOrder,
  WorkReport,
} from '@hearth/contract'
import { type Connection, openConnection } from './connection.ts'
import { EventStream, type EventTarget } from './event-stream.ts'
import { publishEvent } from './events.ts'
import { publishLog, type ReadLogsOptions, readLogs } from './logs.ts'
import { ensureObserver, removeObserver, rewindObserver } from './observers.ts'
import type { MessagingOptions } from './options.ts'
import { consumeOrders, publishOrder, purgeOrder } from './orders.ts'
import { publishPresence, subscribePresence } from './presence.ts'
import type { Stored } from './publish.ts'
import { consumeReports, publishReport } from './reports.ts'
import { ensureRunner, removeRunner } from './runners.ts'
import { ensureStreams } from './streams.ts'
import { requestSync, type SyncHandler, serveSync } from './sync.ts'

/**
 * Everything the programs say to each other. Whatever waits for a signal resolves when it aborts. Publishing to a
 * stream throws `unavailable` (try again with the same ids), `forbidden` or `too_large`.
 */
export interface Messaging {
  /** For the control plane only; safe to repeat. */
  ensureStreams(): Promise<void>
  /** Makes the runner's consumer of orders; safe to repeat. */
  ensureRunner(runnerId: string): Promise<void>
  removeRunner(runnerId: string): Promise<void>

  /** Replaces an older order of the same thing. The same `messageId` within two minutes is stored once. */
  publishOrder(order: OrderEnvelope, messageId: string): Promise<void>
  purgeOrder(runnerId: string, kind: string, id: string): Promise<void>
  /**
   * One at a time, acknowledged after `handle`; one that throws comes again after a second. One of a kind that is not
   * known is a problem, and left alone.
   */
  consumeOrders(
    runnerId: string,
    handle: (order: WorkOrder) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>

  /** Resolves once JetStream has stored it, however long that takes. */
  publishReport(report: ReportEnvelope): Promise<void>
  /**
   * What is there, at most `mostAtOnce`, those of one thing in order; acknowledged after `handle`. When it throws
   * each is tried by itself, and again, without holding up those of others. One of a kind that is not known is a problem,
   * and left alone.
   */
  consumeReports(
    handle: (reports: readonly WorkReport[]) => Promise<void>,
    signal: AbortSignal,
    mostAtOnce: number,
  ): Promise<void>

  publishLog(runnerId: string, chunk: LogChunk): Promise<void>
  /** Of what this runner has sent, and no other. */
  readLogs(runnerId: string, environmentId: string, options: ReadLogsOptions): AsyncIterable<LogChunk>
  /** Into this stream over this connection and no other, where one is named: throws `unavailable` otherwise. */
  publishEvent(event: Event, target?: EventTarget): Promise<Stored>
  /** Which event stream is there: another one than before holds nothing of what was published before. */
  eventStream(): Promise<string>
  /** The numbers of its oldest and its newest message, as it is now; with nothing in it the oldest would be the next. */
  eventStreamEnds(): Promise<{ first: number; last: number }>
  /** The id of the event that it holds under a number; null when it holds none there. */
  eventIdAt(sequence: number): Promise<string | null>
  /** Makes the observer's consumer of its organization's events where there is none; safe to repeat. */
  ensureObserver(observer: ObservedEvents, start: ObserverStart): Promise<void>
  /** Has an observer that was given more than the stream holds read on after `end`; safe to repeat. */
  rewindObserver(observer: ObservedEvents, end: number): Promise<void>
  removeObserver(id: string): Promise<void>

  publishPresence(presence: Presence): void
  subscribePresence(handle: (presence: Presence) => void | Promise<void>, signal: AbortSignal): Promise<void>

  /** Throws `unavailable` when no control plane answers in time. */
  requestSync(request: SyncRequest, timeoutMilliseconds: number): Promise<SyncReply>
  serveSync(handle: SyncHandler, signal: AbortSignal): Promise<void>

  /** Resolves when the server has seen all that was sent. */
  flush(): Promise<void>
  isConnected(): boolean
  /** Counts the connections there have been: behind another one the server may be another, or hold less. */
  session(): number
  /** Sends what waits if the server is there, then ends for good: everything that waits for a signal resolves too. */
  close(): Promise<void>
}

/** Connects, waiting for a server as long as it takes; throws `unauthenticated` when the credentials are refused. */
export async function connectMessaging(options: MessagingOptions): Promise<Messaging> {
  const connection = await openConnection(options)
  const eventStream = new EventStream(connection)
  return {
    ensureStreams: () => ensureStreams(connection),
    ensureRunner: (runnerId) => ensureRunner(connection, runnerId),
    removeRunner: (runnerId) => removeRunner(connection, runnerId),
    publishOrder: (order, messageId) => publishOrder(connection, order, messageId),
    purgeOrder: (runnerId, kind, id) => purgeOrder(connection, runnerId, kind, id),
    consumeOrders: (runnerId, handle, signal) => consumeOrders(connection, runnerId, handle, signal),
    publishReport: (report) => publishReport(connection, report),
    consumeReports: (handle, signal, mostAtOnce) => consumeReports(connection, handle, signal, mostAtOnce),
    publishLog: (runnerId, chunk) => publishLog(connection, runnerId, chunk),
    readLogs: (runnerId, environmentId, read) => readLogs(connection, runnerId, environmentId, read),
    publishEvent: (event, target) =>
      publishEvent(connection, event, () =>
        target === undefined ? Promise.resolve() : eventStream.mustBe(target),
      ),
    eventStream: () => eventStream.current(),
    eventStreamEnds: () => eventStream.ends(),
    eventIdAt: (sequence) => eventStream.eventIdAt(sequence),
    ensureObserver: (observer, start) => ensureObserver(connection, observer, start),
    rewindObserver: (observer, end) => rewindObserver(connection, observer, end),
    removeObserver: (id) => removeObserver(connection, id),
    publishPresence: (presence) => publishPresence(connection, presence),
    subscribePresence: (handle, signal) => subscribePresence(connection, handle, signal),
    requestSync: (request, timeoutMilliseconds) => requestSync(connection, request, timeoutMilliseconds),
    serveSync: (handle, signal) => serveSync(connection, handle, signal),
    flush: () => connection.nats.flush(),
    isConnected: () => connection.isConnected(),
    session: () => connection.session(),
    close: () => close(connection),
  }
}

async function close(connection: Connection): Promise<void> {
  // A flush without a server would wait until one comes back.
  if (connection.isConnected()) await connection.nats.flush().catch(() => undefined)
  await connection.nats.close()
}
