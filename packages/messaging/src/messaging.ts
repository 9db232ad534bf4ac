import type {
  Call,
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
import { type CallAnswer, type CallHandler, type CallOptions, requestCall, serveCalls } from './calls.ts'
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
 * Every message between the programs. Methods that take a signal resolve when it aborts. Publishing to a stream
 * throws `unavailable` (retry with the same ids), `forbidden` or `too_large`.
 */
export interface Messaging {
  /** Creates and updates the streams. For the control plane only; safe to repeat. */
  ensureStreams(): Promise<void>
  /** Creates the runner's consumer of orders; safe to repeat. */
  ensureRunner(runnerId: string): Promise<void>
  removeRunner(runnerId: string): Promise<void>

  /** Replaces an older order for the same resource. The same `messageId` within two minutes is stored once. */
  publishOrder(order: OrderEnvelope, messageId: string): Promise<void>
  purgeOrder(runnerId: string, kind: string, id: string): Promise<void>
  /**
   * Handles one order at a time and acknowledges it after `handle`; an order whose `handle` throws is delivered again
   * after a second. An order of an unknown kind is reported as a problem and left alone.
   */
  consumeOrders(
    runnerId: string,
    handle: (order: WorkOrder) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>

  /** Resolves once JetStream has stored the report, however long that takes. */
  publishReport(report: ReportEnvelope): Promise<void>
  /**
   * Passes the waiting reports to `handle`, at most `mostAtOnce`, those of one resource in order, and acknowledges
   * them after it. When `handle` throws, each report is retried by itself without holding up those of other
   * resources. A report of an unknown kind is reported as a problem and left alone.
   */
  consumeReports(
    handle: (reports: readonly WorkReport[]) => Promise<void>,
    signal: AbortSignal,
    mostAtOnce: number,
  ): Promise<void>

  publishLog(runnerId: string, chunk: LogChunk): Promise<void>
  /** Reads only chunks that this runner has sent. */
  readLogs(runnerId: string, environmentId: string, options: ReadLogsOptions): AsyncIterable<LogChunk>
  /** With `target`, publishes only into that stream over that connection, and throws `unavailable` otherwise. */
  publishEvent(event: Event, target?: EventTarget): Promise<Stored>
  /** Id of the event stream: a new id means that the stream holds nothing of what was published before. */
  eventStream(): Promise<string>
  /** First and last sequence of the stream at this moment; in an empty stream the first is the next sequence. */
  eventStreamEnds(): Promise<{ first: number; last: number }>
  /** Id of the event with this sequence in the stream; null when there is none. */
  eventIdAt(sequence: number): Promise<string | null>
  /** Creates the observer's consumer of its organization's events if there is none; safe to repeat. */
  ensureObserver(observer: ObservedEvents, start: ObserverStart): Promise<void>
  /**
   * Makes an observer that was already given later events than the stream holds continue after `end`; safe to repeat.
   */
  rewindObserver(observer: ObservedEvents, end: number): Promise<void>
  removeObserver(id: string): Promise<void>

  publishPresence(presence: Presence): void
  subscribePresence(handle: (presence: Presence) => void | Promise<void>, signal: AbortSignal): Promise<void>

  /** Requests the desired set of a runner. Throws `unavailable` when no control plane answers in time. */
  requestSync(request: SyncRequest, timeoutMilliseconds: number): Promise<SyncReply>
  serveSync(handle: SyncHandler, signal: AbortSignal): Promise<void>

  /** Has a runner's agent do something at once, and resolves with what it has done; see `requestCall`. */
  call(request: Call, options: CallOptions): Promise<CallAnswer>
  serveCalls(runnerId: string, handle: CallHandler, signal: AbortSignal): Promise<void>

  /** Resolves when the server has received everything sent. */
  flush(): Promise<void>
  isConnected(): boolean
  /** Number of connections made so far: after a new connection the server may be another one, or hold less. */
  session(): number
  /**
   * Sends what is buffered if the server is connected, then closes the connection; everything that waits for a signal
   * resolves too.
   */
  close(): Promise<void>
}

/** Connects and waits for a server as long as it takes; throws `unauthenticated` when the credentials are refused. */
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
    call: (request, callOptions) => requestCall(connection, request, callOptions),
    serveCalls: (runnerId, handle, signal) => serveCalls(connection, runnerId, handle, signal),
    flush: () => connection.nats.flush(),
    isConnected: () => connection.isConnected(),
    session: () => connection.session(),
    close: () => close(connection),
  }
}

async function close(connection: Connection): Promise<void> {
  // A flush without a server would wait until one returns.
  if (connection.isConnected()) await connection.nats.flush().catch(() => undefined)
  await connection.nats.close()
}
