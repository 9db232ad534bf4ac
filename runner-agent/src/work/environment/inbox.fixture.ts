import {
  type EnvironmentOrder,
  type EnvironmentReport,
  environmentWork,
  isReportOf,
  type LogChunk,
  type ReportEnvelope,
} from '@hearth/contract'
import { systemClock } from '@hearth/foundation'
import { pino } from 'pino'
import type { OpenGuest } from '../../guest/guest.ts'
import type { Host } from '../../host/host.ts'
import { Lease } from '../../lease/lease.ts'
import { Reporter } from '../../reporting/reporter.ts'
import { Inbox } from '../inbox.ts'
import { MachineChanges } from '../machine-changes.ts'
import { Guests } from '../process/guests.ts'
import type { EnvironmentWork } from './environment-work.ts'
import { EnvironmentHandler } from './handler.ts'

interface InboxSettings {
  host: Host
  openGuest: OpenGuest
  runnerId: string
  epoch: number
  sealingKey: string
  unkeptFailureMilliseconds: number
  stopping: AbortSignal
  /** Aborts when the agent waits for nothing more. */
  closing: AbortSignal
  /** Resolves when the report is stored. */
  onReport(report: EnvironmentReport): void | Promise<void>
  onLog(chunk: LogChunk): void
}

/** An agent's work on environments, without NATS. */
export function environmentInbox({
  host,
  openGuest,
  runnerId,
  epoch,
  sealingKey,
  unkeptFailureMilliseconds,
  stopping,
  closing,
  onReport,
  onLog,
}: InboxSettings): { inbox: Inbox<EnvironmentOrder, EnvironmentWork>; handler: EnvironmentHandler } {
  const log = pino({ enabled: false })
  const now = () => performance.now()
  const handler = new EnvironmentHandler({
    host,
    openGuest,
    runnerId,
    clock: systemClock,
    log,
    sealingKey,
    bootConcurrency: 2,
    resumeFreeBytes: 0,
    guests: new Guests(openGuest),
    machineChanges: new MachineChanges(),
    stepDeadlines: {},
    pausedMachinesMilliseconds: 10_000,
    activityMilliseconds: 10_000,
    publishLog: async (_, chunk) => onLog(chunk),
    closing,
    stepEnded: () => undefined,
    track: (work) => void work,
  })
  const target = {
    publishReport: async (report: ReportEnvelope) => {
      if (isReportOf(environmentWork, report)) await onReport(report)
    },
  }
  const inbox = new Inbox(
    handler,
    {
      lease: new Lease({ epoch, milliseconds: 60_000, newestEpoch: async () => 0, now }),
      reporter: new Reporter(target, { runnerId, epoch }, systemClock, log, closing),
      now,
      retryMostMilliseconds: 30_000,
      unkeptFailureMilliseconds,
      log,
      stopping,
    },
    { runnerId, epoch },
  )
  return { inbox, handler }
}
