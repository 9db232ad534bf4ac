import type { StepStatus } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { OpenGuest } from '../../guest/guest.ts'
import type { Layers } from '../../host/layers.ts'
import type { Machines } from '../../host/machines.ts'
import type { LogTarget } from '../../reporting/log-publisher.ts'
import type { MachineChanges } from '../machine-changes.ts'
import type { Activity } from './activity.ts'
import type { StepDeadlines } from './guest-steps.ts'
import type { Pauses } from './pauses.ts'
import type { Slots } from './slots.ts'

/** What the work on an environment needs beside its order. */
export interface EnvironmentContext {
  machines: Machines
  layers: Pick<Layers, 'look'>
  openGuest: OpenGuest
  logs: LogTarget
  pauses: Pick<Pauses, 'of'>
  activity: Pick<Activity, 'of'>
  machineChanges: Pick<MachineChanges, 'tell'>
  clock: Clock
  log: Logger
  /** How many machines may be created and booted at once. */
  bootSlots: Slots
  /** Overrides of the contract's deadlines, in seconds. */
  deadlines: StepDeadlines
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  /** Aborts when nothing may be sent any more, at the end of a stop. */
  closing: AbortSignal
  /** Called for every step that has ended, for the metrics. */
  stepEnded(step: StepStatus): void
  /** Registers work that a graceful stop waits for. */
  track(work: Promise<unknown>): void
}
