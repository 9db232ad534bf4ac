import type { Address, Identity } from '@hearth/contract'
import { StaleAuthority } from '../host/authority.ts'
import type { GivenIdentity } from '../host/machine.ts'
import type { SeedFile } from '../host/seed-file.ts'
import type { GuestCalls } from './call.ts'
import type { GuestInputs } from './input.ts'
import type { Origin } from './origin.ts'
import type { GuestProcesses } from './process.ts'
import type { GuestVolumes } from './volume.ts'

export type { Origin } from './origin.ts'

export interface GuestMachine {
  environmentId: string
  address: Address
  identity: GivenIdentity
}

export interface GuestCommand {
  /** Shown before the command runs and in the failure when it fails. */
  name: string
  /** Bash source. */
  command: string
  timeoutSeconds: number | null
}

/** One provisioning step as the guest runs it: its commands in order, ended by the first that fails. */
export interface GuestStep {
  /**
   * Name of the step in the guest's ledger. A step with the same key is started only once, however often it is
   * requested.
   */
  key: string
  /** Absolute path in the guest where the commands run. */
  folder: string
  commands: readonly GuestCommand[]
  /** Seconds for all commands together. */
  limitSeconds: number
  /** A file, relative to `folder`; without it the step is skipped. */
  onlyWithExecutable: string | null
  /** Whether the step ends only after the guest has synced all written data to its disk. */
  syncs: boolean
}

export type StepOutcome =
  | { kind: 'succeeded'; times: StepTimes }
  | { kind: 'skipped'; times: StepTimes }
  /**
   * `command` is the index of the command that failed; `cause` says whether it timed out, or whether the disk was
   * already full.
   */
  | {
      kind: 'failed'
      exitCode: number
      command: number
      cause: 'exit' | 'deadline' | 'disk'
      limitSeconds: number
      times: StepTimes
    }
  /**
   * The step had begun and ended without an exit code: the guest was restarted, killed it, or wrote an unreadable
   * result.
   */
  | { kind: 'lost'; reason: 'cut_short' | 'unreadable' }

/** Whether the next step runs after this outcome. */
export function goesOn({ kind }: StepOutcome): boolean {
  return kind === 'succeeded' || kind === 'skipped'
}

export interface StepTimes {
  /** Milliseconds since 1970 on the guest's clock. */
  startedAt: number
  finishedAt: number
}

/** Events of a run of steps: the whole output of a step in order, then its outcome, then those of the next step. */
export type StepEvent =
  | { kind: 'output'; index: number; chunk: Buffer }
  | { kind: 'outcome'; index: number; outcome: StepOutcome }

/** Identity as the guest itself reports it. */
export type GuestEvidence = Omit<Identity, 'checkedAt'>

/** What a guest needs that was frozen, and perhaps as another machine. */
export interface IdentityTaking {
  /** The files that give it its identity. */
  files: readonly SeedFile[]
  /** OpenSSH public key that it had when it was frozen. */
  formerHostKey: string
  /** Whether it went on from memory. One that has booted has the files from its seed disk. */
  resumed: boolean
}

/** A resumed guest cannot be made this machine's own. A boot from its disk can do it. */
export class IdentityNotTaken extends Error {
  override readonly name = 'IdentityNotTaken'
}

/** The guest could not be reached; the work inside it is unharmed. */
export class GuestUnreachable extends Error {
  override readonly name = 'GuestUnreachable'
}

/**
 * The guest says that it was worked on under a newer epoch or generation. Only the machine's metadata on the host
 * proves it.
 */
export class StaleInGuest extends StaleAuthority {}

/** The guest sent too much data or an invalid answer. Retrying would not help. */
export class GuestMisbehaved extends Error {
  override readonly name = 'GuestMisbehaved'
}

/**
 * The inside of one machine. Connects on first use and reconnects when the connection is lost. The guest stores the
 * newest epoch and generation it was worked on under; methods that change it reject with StaleInGuest for an older
 * origin. The size of every answer is bounded; a guest that sends more is cut off with GuestMisbehaved.
 */
export interface Guest {
  /** Its tasks and services. */
  readonly processes: GuestProcesses
  /** What is done in it while somebody waits. */
  readonly calls: GuestCalls
  readonly volumes: GuestVolumes
  /** Files that its processes find in it. */
  readonly inputs: GuestInputs
  /** How many connections to its SSH server are open. */
  readonly connections: number
  /** Waits until the guest answers, then reads back its identity; the clock is set right when it is off. */
  identify(signal: AbortSignal): Promise<GuestEvidence>
  /**
   * Gives a guest that was frozen the identity of its own machine, and resolves when its SSH server proves it by the
   * machine's host key. Numbers and steps in the guest that are another machine's are removed first. Repeatable after a
   * cut at any point. Throws IdentityNotTaken when a resumed guest cannot take it.
   */
  takeIdentity(taking: IdentityTaking, origin: Origin, signal: AbortSignal): Promise<void>
  /**
   * Waits until the guest has finished its own set-up: the root file system has grown to the size of the disk, and
   * cloud-init, if present, has ended. Resolves with a note for a person, or with an empty text.
   */
  awaitOwnSetUp(diskGibibytes: number, signal: AbortSignal): Promise<string>
  /**
   * Removes from the guest what makes it one machine's own and what it was told: variables, keys, logs, histories; the
   * blocks they took are given back to the disk's file. Rejects with what could not be removed.
   */
  scrub(signal: AbortSignal): Promise<void>
  /** Resolves when everything written in the guest has been synced to its disk. */
  sync(signal: AbortSignal): Promise<void>
  /** Replaces a whole file (mode 0600) and creates its folder. */
  writePrivateFile(path: string, content: string, origin: Origin, signal: AbortSignal): Promise<void>
  /** The same for a file that a step removes when it ends: it is not written where the step has begun. */
  writeFileForStep(
    stepKey: string,
    path: string,
    content: string,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void>
  /** The text of each file, null where there is none or it is over 64 KiB. */
  readFiles(paths: readonly string[], signal: AbortSignal): Promise<(string | null)[]>
  /**
   * Starts the steps that the ledger does not have yet, each as soon as the step before it has succeeded, and follows
   * them until the last one ends or one fails. Every byte of their output is delivered exactly once; the ledger
   * records on whose behalf each step was started. Throws only when the signal aborts or the guest misbehaves; the
   * steps themselves go on in that case.
   */
  runSteps(steps: readonly GuestStep[], origin: Origin, signal: AbortSignal): AsyncIterable<StepEvent>
  /**
   * Asks the guest to shut down; resolves when the request was delivered, rejects when that was not possible before
   * the signal.
   */
  shutDown(signal: AbortSignal): Promise<void>
  close(): void
}

export type OpenGuest = (machine: GuestMachine) => Guest
