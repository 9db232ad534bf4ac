import type { Logger } from 'pino'
import type { Lease } from '../lease/lease.ts'
import type { Reporter } from '../reporting/reporter.ts'

/** What every worker needs, whatever its kind. */
export interface WorkContext {
  lease: Lease
  reporter: Reporter
  /** Milliseconds that only rise. */
  now(): number
  /** Retries of what the host refused wait longer and longer, up to this. */
  retryMostMilliseconds: number
  /** A failure that the host cannot keep is told all the same after so long. */
  unkeptFailureMilliseconds: number
  log: Logger
  /** Aborts when no new step may be taken. */
  stopping: AbortSignal
}
