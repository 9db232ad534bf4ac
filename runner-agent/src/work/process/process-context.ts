import type { Clock } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Machines } from '../../host/machines.ts'
import type { LogTarget } from '../../reporting/log-publisher.ts'
import type { Guests } from './guests.ts'
import type { Inputs } from './inputs.ts'

/** What the work on every task and service needs. */
export interface ProcessContext {
  machines: Pick<Machines, 'look'>
  guests: Guests
  logs: LogTarget
  clock: Clock
  log: Logger
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  /** Brings the inputs of a process into its guest before a run. */
  inputs: Inputs
  /** Aborts when nothing may be sent any more, at the end of a stop. */
  closing: AbortSignal
  /** Registers work that a graceful stop waits for. */
  track(work: Promise<unknown>): void
}
