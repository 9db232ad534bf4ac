import {
  mostMessageBytes,
  type ReportEnvelope,
  reportConsumer,
  streams,
  subjects,
  type WorkReport,
} from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { JsMsg } from '@nats-io/jetstream'
import { Allowance } from './allowance.ts'
import type { Connection } from './connection.ts'
import { Lanes } from './lanes.ts'
import { checkSubject, decode } from './message.ts'
import { publishStored, runnerMessageId } from './publish.ts'
import { pull } from './pull.ts'
import { TooMany } from './subscribe.ts'

interface Received {
  message: JsMsg
  report: WorkReport
}

/** Retries until JetStream has stored the report or the connection is closed. */
export async function publishReport(connection: Connection, report: ReportEnvelope): Promise<void> {
  await publishStored(connection, reportSubject(report), report, {
    // A report stored twice anyway is recognised by its (epoch, sequence).
    messageId: runnerMessageId(report.runnerId),
    patienceMilliseconds: Number.POSITIVE_INFINITY,
  })
}

/** Two batches at once, so that one that waits for a lock does not hold up the others. */
const batchesAtOnce = 2
const pauseMilliseconds = 15
/**
 * Limit of reports from one runner: hundreds of machines that start at once stay below it. Reports beyond it are
 * discarded.
 */
const allowed = { perSecond: 500, burst: 5_000 }
const mebibyte = 1024 * 1024
/** The same limit in bytes: an eighth of the stream, which all runners share. */
const allowedBytes = { perSecond: 8 * mebibyte, burst: 32 * mebibyte }

/**
 * Shares the reports with every other process that consumes them: passes waiting reports to `handle`, at most
 * `mostAtOnce`, and acknowledges them after it has resolved. When it throws, each report is retried by itself before
 * any later one of its subject. Within this process the reports of one subject are handled in order; across
 * processes, and after a process has died, (epoch, sequence) tells which one is newer.
 */
export async function consumeReports(
  connection: Connection,
  handle: (reports: readonly WorkReport[]) => Promise<void>,
  signal: AbortSignal,
  mostAtOnce: number,
): Promise<void> {
  const lanes = new Lanes<Received>({
    concurrency: batchesAtOnce,
    mostInBatch: mostAtOnce,
    pauseMilliseconds,
    firstRestMilliseconds: 100,
    handle: async (received) => {
      await handle(received.map(({ report }) => report))
      for (const { message } of received) message.ack()
    },
    onFailure: (received, thrown) => {
      const [first] = received
      const others = received.length === 1 ? '' : ` and ${received.length - 1} more`
      connection.onProblem(`${first?.message.subject}${others}`, toError(thrown))
    },
  })
  const buffered = 4 * mostAtOnce
  const allowance = { messages: new Allowance(allowed), bytes: new Allowance(allowedBytes) }
  const stillWorking = setInterval(() => {
    for (const { message } of lanes.held()) message.working()
  }, connection.timings.reportTaken / 3)
  try {
    const options = { stream: streams.report, consumer: reportConsumer, buffered, signal }
    await pull(connection, options, async (message) => {
      const report = readReport(connection, allowance, message)
      if (report === undefined) return
      lanes.push(message.subject, { message, report })
      while (lanes.pressure() >= buffered && !signal.aborted) await lanes.changed()
    })
  } finally {
    clearInterval(stillWorking)
    for (const { message } of await lanes.stop()) message.nak()
  }
}

function readReport(
  connection: Connection,
  allowance: { messages: Allowance; bytes: Allowance },
  message: JsMsg,
): WorkReport | undefined {
  try {
    const runnerId = runnerOf(message.subject)
    const isWithin =
      allowance.messages.take(runnerId) && allowance.bytes.take(runnerId, message.data.byteLength)
    if (!isWithin) throw new TooMany()
    const report = decode(connection.work.report, message, mostMessageBytes.report)
    checkSubject(message.subject, reportSubject(report))
    return report
  } catch (thrown) {
    connection.onProblem(message.subject, toError(thrown))
    message.term()
    return undefined
  }
}

/** The third token of a report's subject. */
function runnerOf(subject: string): string {
  return subject.split('.', 3)[2] ?? subject
}

function reportSubject(report: ReportEnvelope): string {
  return subjects.report(report.runnerId, report.kind, report.id)
}
