import type { LogChunk, StepName, StepStatus, WorkMessages } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { OpenGuest } from '../guest/guest.ts'
import type { Host } from '../host/host.ts'
import type { WorkHandler } from './work.ts'

/** What the kinds of work are given when the agent is put together. */
export interface HandlerParts {
  host: Host
  openGuest: OpenGuest
  runnerId: string
  clock: Clock
  log: Logger
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  /** How many machines may be created and booted at once. */
  bootConcurrency: number
  /** Free space, in bytes, from which on machines that stood still for want of it go on. */
  resumeFreeBytes: number
  /** Overrides of the contract's deadlines, in seconds. */
  stepDeadlines: Partial<Record<StepName, number>>
}

/** That, and what they have of the agent that runs. */
export interface HandlerContext extends HandlerParts {
  /** Between two looks at the machines whose guest stands still. */
  pausedMachinesMilliseconds: number
  publishLog(runnerId: string, chunk: LogChunk): Promise<void>
  /** Aborts when nothing may be sent any more. */
  closing: AbortSignal
  /** Told of every step of an environment that is over, for the metrics. */
  stepEnded(step: StepStatus): void
  /** Work that a graceful stop waits for. */
  track(work: Promise<unknown>): void
}

/** A kind of work that an agent does. */
export interface WorkKindOfAgent {
  readonly messages: WorkMessages
  handler(context: HandlerContext): WorkHandler
}
