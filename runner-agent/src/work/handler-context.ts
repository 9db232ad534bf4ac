import type { Duplex } from 'node:stream'
import type { LogChunk, StepName, StepStatus, WorkMessages } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { GuestMachine, OpenGuest } from '../guest/guest.ts'
import type { Host } from '../host/host.ts'
import type { MachineChanges } from './machine-changes.ts'
import type { Guests } from './process/guests.ts'
import type { WorkHandler } from './work.ts'

/** Context of the work handlers that is known when the agent is composed. */
export interface HandlerParts {
  host: Host
  openGuest: OpenGuest
  runnerId: string
  clock: Clock
  log: Logger
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  /** The bytes of an artifact from some place on, from the control plane; throws HearthError where it refuses them. */
  readArtifact?:
    | ((artifactId: string, from: number, signal: AbortSignal) => AsyncIterable<Uint8Array>)
    | undefined
  /** Whether requests on routes go to a machine; absent where the agent serves no routes. */
  isUsedByRoute?: ((environmentId: string) => boolean) | undefined
  /** Opens a connection to a port of a guest, as from within it; absent where guests have no ports but those of their host. */
  openGuestPort?: ((machine: GuestMachine, port: number, signal: AbortSignal) => Promise<Duplex>) | undefined
  /** How many SSH connections that carry such are open to a machine. */
  portConnectionsTo?: ((environmentId: string) => number) | undefined
  /** How many machines may be created and booted at once. */
  bootConcurrency: number
  /** Free disk space, in bytes, from which machines paused by a full disk are resumed. */
  resumeFreeBytes: number
  /** Overrides of the contract's deadlines, in seconds. */
  stepDeadlines: Partial<Record<StepName, number>>
}

/** That context together with what the running agent provides. */
export interface HandlerContext extends HandlerParts {
  /** Interval between two looks at the paused machines. */
  pausedMachinesMilliseconds: number
  /** The longest pause between two looks at whether machines are used. */
  activityMilliseconds: number
  publishLog(runnerId: string, chunk: LogChunk): Promise<void>
  /** Aborts when nothing may be sent any more, at the end of a stop. */
  closing: AbortSignal
  /** Called for every step of an environment that has ended, for the metrics. */
  stepEnded(step: StepStatus): void
  /** The guests in which tasks and services are seen to. */
  guests: Guests
  machineChanges: MachineChanges
  /** Registers work that a graceful stop waits for. */
  track(work: Promise<unknown>): void
}

/** A kind of work that the agent can do. */
export interface WorkKindOfAgent {
  readonly messages: WorkMessages
  handler(context: HandlerContext): WorkHandler
}
