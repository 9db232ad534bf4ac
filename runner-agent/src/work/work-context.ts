import type { Logger } from 'pino'
import type { Lease } from '../lease/lease.ts'
import type { Reporter } from '../reporting/reporter.ts'

/** What a worker of any kind needs. */
export interface WorkContext {
  lease: Lease
  reporter: Reporter
  /** Monotonic clock, in milliseconds. */
  now(): number
  /** Maximum delay of retries, which grows with each refusal of the host. */
  retryMostMilliseconds: number
  /** Report a failure that the host cannot store anyway after this delay. */
  unkeptFailureMilliseconds: number
  log: Logger
  /** Aborts when no new step may be taken. */
  stopping: AbortSignal
}
