import { notePresences } from '../kinds/runner/index.ts'
import { Heartbeats } from './heartbeats.ts'
import type { IntakeOptions } from './intake-options.ts'
import { ReportIntake } from './report-intake.ts'
import { Synchronisation } from './synchronisation.ts'

const reportsAtOnce = 100
/** Heartbeats are collected for this fraction of a lease: a quarter of a second of thirty. */
const leaseToGather = 120

/**
 * Takes in runners' heartbeats and reports until the signal aborts. A report is acknowledged only after it is
 * committed.
 */
export async function takeIn(options: IntakeOptions, signal: AbortSignal): Promise<void> {
  const { messaging, timings, metrics, eventLoop, log } = options
  const intake = new ReportIntake(options)
  const synchronisation = new Synchronisation(options)
  const heartbeats = new Heartbeats({
    note: (presences) => notePresences(options, presences),
    gatherMilliseconds: timings.runnerLease / leaseToGather,
    log,
    onUnusable: ({ runnerId, epoch }, error) => {
      metrics.messagesSetAside.inc({ kind: 'presence' })
      log.warn({ err: error, runnerId, epoch }, 'dropped a heartbeat that PostgreSQL refuses')
    },
  })
  await Promise.all([
    messaging.consumeReports(
      (reports) => {
        eventLoop.note('reports')
        return intake.take(reports, signal)
      },
      signal,
      reportsAtOnce,
    ),
    messaging.subscribePresence((presence) => {
      eventLoop.note('a heartbeat')
      return heartbeats.take(presence)
    }, signal),
    messaging.serveSync(async (request, mostBytes) => {
      eventLoop.note('a synchronisation')
      const reply = await synchronisation.answer(request, mostBytes)
      eventLoop.note('a synchronisation')
      return reply
    }, signal),
  ])
}
