import type { Address, Identity } from '@hearth/contract'
import type { GivenIdentity } from '../host/host.ts'

export interface GuestMachine {
  environmentId: string
  address: Address
  identity: GivenIdentity
}

export interface GuestCommand {
  /** Announced before it runs, and named when it fails. */
  name: string
  /** Bash source. */
  command: string
  timeoutSeconds: number | null
}

/** One provisioning step as the guest runs it: its commands in order, ended by the first that fails. */
export interface GuestStep {
  /** Its name in the guest's ledger: the same key is started once, however often it is asked for. */
  key: string
  /** Absolute path in the guest where the commands run. */
  folder: string
  commands: readonly GuestCommand[]
  /** Seconds for all commands together. */
  limitSeconds: number
  /** A file, relative to `folder`, without which there is nothing to do. */
  onlyWithExecutable: string | null
}

export type StepOutcome =
  | { kind: 'succeeded'; times: StepTimes }
  | { kind: 'skipped'; times: StepTimes }
  /** `command` is the index of the one that failed; `cause` says whether its time ran out. */
  | {
      kind: 'failed'
      exitCode: number
      command: number
      cause: 'exit' | 'deadline'
      limitSeconds: number
      times: StepTimes
    }
  /** It had begun, and ended without leaving an exit code: the guest was restarted or killed it. */
  | { kind: 'lost' }

export interface StepTimes {
  /** Milliseconds since 1970 on the guest's clock. */
  startedAt: number
  finishedAt: number
}

/** What the guest itself says it is. */
export type GuestEvidence = Omit<Identity, 'checkedAt'>

/** The guest could not be reached; the work inside it is unharmed. */
export class GuestUnreachable extends Error {
  override readonly name = 'GuestUnreachable'
}

/** The inside of one machine. Connects when first needed and again when the connection is lost. */
export interface Guest {
  /** Waits until the guest answers, then reads back its identity; the clock is set right when it is off. */
  identify(signal: AbortSignal): Promise<GuestEvidence>
  /** Replaces `/home/.env` (0600) whole. */
  writeEnvironmentFile(content: string, signal: AbortSignal): Promise<void>
  /**
   * Starts the step unless the ledger has it, and follows it to its end. `onOutput` gets every byte it printed,
   * from the first, exactly once and in order. Rejects only when the signal aborts; the step goes on all the same.
   */
  runStep(step: GuestStep, onOutput: (chunk: Buffer) => void, signal: AbortSignal): Promise<StepOutcome>
  /** Asks the guest to shut down; resolves when it has been told. Rejects when it cannot be told before the signal. */
  shutDown(signal: AbortSignal): Promise<void>
  close(): void
}

export type OpenGuest = (machine: GuestMachine) => Guest
