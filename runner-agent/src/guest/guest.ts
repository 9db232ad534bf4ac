import type { Address, Identity } from '@hearth/contract'
import { StaleAuthority } from '../host/authority.ts'
import type { GivenIdentity } from '../host/machine.ts'

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
  /** Whether it is over only when all that the guest has written is on its disk. */
  syncs: boolean
}

export type StepOutcome =
  | { kind: 'succeeded'; times: StepTimes }
  | { kind: 'skipped'; times: StepTimes }
  /** `command` is the index of the one that failed; `cause` says whether its time ran out, or the disk was full before. */
  | {
      kind: 'failed'
      exitCode: number
      command: number
      cause: 'exit' | 'deadline' | 'disk'
      limitSeconds: number
      times: StepTimes
    }
  /** It had begun, and ended without leaving an exit code: the guest was restarted or killed it, or left nonsense. */
  | { kind: 'lost'; reason: 'cut_short' | 'unreadable' }

/** Whether the step after one that ended so is run. */
export function goesOn({ kind }: StepOutcome): boolean {
  return kind === 'succeeded' || kind === 'skipped'
}

export interface StepTimes {
  /** Milliseconds since 1970 on the guest's clock. */
  startedAt: number
  finishedAt: number
}

/** What a run of steps says as it goes: each step's output whole and in order, then its outcome, then the next's. */
export type StepEvent =
  | { kind: 'output'; index: number; chunk: Buffer }
  | { kind: 'outcome'; index: number; outcome: StepOutcome }

/** For whom something is done in a guest: who asks, under which lease and which order. */
export interface Origin {
  runnerId: string
  epoch: number
  generation: number
}

/** What the guest itself says it is. */
export type GuestEvidence = Omit<Identity, 'checkedAt'>

/** The guest could not be reached; the work inside it is unharmed. */
export class GuestUnreachable extends Error {
  override readonly name = 'GuestUnreachable'
}

/** The guest says that it was worked on under newer numbers. Only the host's word proves it. */
export class StaleInGuest extends StaleAuthority {}

/** The guest answered too much, or what makes no sense. To ask again would not help. */
export class GuestMisbehaved extends Error {
  override readonly name = 'GuestMisbehaved'
}

/**
 * The inside of one machine. Connects when first needed and again when the connection is lost. It keeps the newest
 * numbers it was worked on under: what changes it rejects with StaleAuthority for an older origin. Whatever a guest
 * answers is bounded; one that answers more is cut off with GuestMisbehaved.
 */
export interface Guest {
  /** Waits until the guest answers, then reads back its identity; the clock is set right when it is off. */
  identify(signal: AbortSignal): Promise<GuestEvidence>
  /**
   * Waits until the guest has set itself up: its root file system has the size of its disk, and cloud-init is over
   * where there is one. Resolves with what a person should know about it, or an empty text.
   */
  awaitOwnSetUp(diskGibibytes: number, signal: AbortSignal): Promise<string>
  /** Resolves when all that was written in the guest is on its disk. */
  sync(signal: AbortSignal): Promise<void>
  /** Replaces a file (0600) whole; its folder is made. */
  writePrivateFile(path: string, content: string, origin: Origin, signal: AbortSignal): Promise<void>
  /** The text of each file, null where there is none or it is over 64 KiB. */
  readFiles(paths: readonly string[], signal: AbortSignal): Promise<(string | null)[]>
  /**
   * Starts the steps, one after another as soon as the one before has succeeded, unless the ledger has them, and
   * follows them to the end of the last or of the first that did not succeed. Every byte that each printed comes
   * exactly once; the ledger says for whom each was started. Otherwise throws only when the signal aborts or the guest
   * misbehaves; the steps go on all the same.
   */
  runSteps(steps: readonly GuestStep[], origin: Origin, signal: AbortSignal): AsyncIterable<StepEvent>
  /** Asks the guest to shut down; resolves when it has been told. Rejects when it cannot be told before the signal. */
  shutDown(signal: AbortSignal): Promise<void>
  close(): void
}

export type OpenGuest = (machine: GuestMachine) => Guest
