import { type Clock, toError } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import { applyReport } from '../kinds/environment/index.ts'
import { notePresence, synchronize } from '../kinds/runner/index.ts'

const reportsAtOnce = 8

export interface IntakeOptions {
  database: Database
  messaging: Messaging
  encryption: Encryption
  clock: Clock
  metrics: Metrics
  log: Logger
}

/** Takes in what runners send until the signal aborts. A report is acknowledged only after it is committed. */
export async function takeIn(options: IntakeOptions, signal: AbortSignal): Promise<void> {
  const { database, messaging, encryption, clock, metrics, log } = options
  await Promise.all([
    messaging.consumeReports(
      async (report) => {
        const outcome = await applyReport(database, clock, report)
        metrics.reports.inc({ outcome })
        if (outcome === 'refused') {
          log.info(
            { environmentId: report.id, runnerId: report.runnerId, epoch: report.epoch },
            'refused a report',
          )
        }
      },
      signal,
      reportsAtOnce,
    ),
    messaging.subscribePresence(async (presence) => {
      await notePresence(database, clock, presence).catch((error: unknown) => {
        log.warn({ err: toError(error), runnerId: presence.runnerId }, 'could not note a heartbeat')
      })
    }, signal),
    messaging.serveSync((request) => synchronize(database, encryption, request), signal),
  ])
}
