import {
  type EnvironmentReport,
  environmentReportSchema,
  reportConsumer,
  streams,
  subjects,
} from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { JsMsg } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { Lanes } from './lanes.ts'
import { checkSubject, decode } from './message.ts'
import { publishStored } from './publish.ts'
import { pull } from './pull.ts'

interface Received {
  message: JsMsg
  report: EnvironmentReport
}

/** Well inside the consumer's acknowledgement wait of ten seconds. */
const stillWorkingMilliseconds = 3_000

/** Tries until JetStream has stored it or the connection is closed. */
export function publishReport(connection: Connection, report: EnvironmentReport): Promise<void> {
  return publishStored(connection, reportSubject(report), report, {
    messageId: `${report.id}.${report.epoch}.${report.sequence}`,
    patienceMilliseconds: Number.POSITIVE_INFINITY,
  })
}

/**
 * Shares the reports with every other process that consumes them and acknowledges each after `handle` resolved.
 * One that throws is tried again, before any later one of its subject. Within this process reports of one subject
 * come in order; across processes, and after one died, (epoch, sequence) tells which is newer.
 */
export async function consumeReports(
  connection: Connection,
  handle: (report: EnvironmentReport) => Promise<void>,
  signal: AbortSignal,
  concurrency: number,
): Promise<void> {
  const lanes = new Lanes<Received>({
    concurrency,
    firstRestMilliseconds: 100,
    handle: async ({ message, report }) => {
      await handle(report)
      message.ack()
    },
    onFailure: ({ message }, thrown) => connection.onProblem(message.subject, toError(thrown)),
  })
  const buffered = Math.max(64, concurrency * 4)
  const stillWorking = setInterval(() => {
    for (const { message } of lanes.held()) message.working()
  }, stillWorkingMilliseconds)
  try {
    const options = { stream: streams.report, consumer: reportConsumer, buffered, signal }
    await pull(connection, options, async (message) => {
      const report = readReport(connection, message)
      if (report === undefined) return
      lanes.push(message.subject, { message, report })
      while (lanes.pressure() >= buffered && !signal.aborted) await lanes.changed()
    })
  } finally {
    clearInterval(stillWorking)
    for (const { message } of await lanes.stop()) message.nak()
  }
}

function readReport(connection: Connection, message: JsMsg): EnvironmentReport | undefined {
  try {
    const report = decode(environmentReportSchema, message)
    checkSubject(message.subject, reportSubject(report))
    return report
  } catch (thrown) {
    connection.onProblem(message.subject, toError(thrown))
    message.term()
    return undefined
  }
}

function reportSubject(report: EnvironmentReport): string {
  return subjects.report(report.runnerId, report.kind, report.id)
}
