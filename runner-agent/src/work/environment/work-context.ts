import type { StepStatus } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { OpenGuest } from '../../guest/guest.ts'
import type { Host } from '../../host/host.ts'
import type { Lease } from '../../lease/lease.ts'
import type { LogTarget } from '../../reporting/log-publisher.ts'
import type { Reporter } from '../../reporting/reporter.ts'
import type { StepDeadlines } from './guest-steps.ts'
import type { Pauses } from './pauses.ts'
import type { Slots } from './slots.ts'

/** What every worker needs. */
export interface WorkContext {
  host: Host
  lease: Lease
  openGuest: OpenGuest
  reporter: Reporter
  logs: LogTarget
  pauses: Pick<Pauses, 'of'>
  clock: Clock
  /** Milliseconds that only rise. */
  now(): number
  /** Retries of what the host refused wait longer and longer, up to this. */
  retryMostMilliseconds: number
  /** A failure that the host cannot keep is told all the same after so long. */
  unkeptFailureMilliseconds: number
  log: Logger
  /** How many machines may be created and booted at once. */
  bootSlots: Slots
  /** Overrides of the contract's deadlines, in seconds. */
  deadlines: StepDeadlines
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  /** Aborts when no new step may be taken. */
  stopping: AbortSignal
  /** Aborts when nothing may be sent any more. */
  closing: AbortSignal
  /** Told of every step that is over, for the metrics. */
  stepEnded(step: StepStatus): void
  /** Work that a graceful stop waits for. */
  track(work: Promise<unknown>): void
}
