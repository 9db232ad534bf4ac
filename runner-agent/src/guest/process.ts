import type { Readiness, RunCause, StopSignal } from '@hearth/contract'
import type { Origin } from './origin.ts'

/** One run of a task or service, as the guest is told to start it. */
export interface GuestRun {
  processId: string
  /** From 1; rises with every run of the process. */
  number: number
  /** The request that it answers, and how many runs in a row the restart policy had begun before it. */
  request: number
  restarts: number
  /** Bash source. */
  command: string
  /** Absolute path in the guest. */
  folder: string
  user: string
  /** Added to those of the environment file; secret ones among them. */
  variables: Readonly<Record<string, string>>
  /** Seconds until it is ended; null for never. */
  limitSeconds: number | null
  stopSignal: StopSignal
  graceSeconds: number
  memoryMebibytes: number | null
  cpus: number | null
  readiness: Readiness | null
}

/** A run as the guest's ledger has it. */
export interface KnownRun {
  number: number
  request: number
  restarts: number
  /** Milliseconds since 1970 on the guest's clock. */
  startedAt: number
  readyAt: number | null
  /** Null while it runs. */
  ending: RunEnding | null
}

export interface RunEnding {
  finishedAt: number
  cause: RunCause
  /** 0 to 255; null where a signal ended it, or nothing is known. */
  exitCode: number | null
  /** As in SIGKILL. */
  signal: string | null
}

/** Events of one run: its output in order, when it becomes ready, and its end, which is the last. */
export type RunEvent =
  /** `offset` is that of the first byte; a gap means that what stood there is no longer kept. */
  | { kind: 'output'; offset: number; chunk: Buffer }
  | { kind: 'ready'; at: number }
  | { kind: 'ended'; run: KnownRun; outputBytes: number }

/**
 * The tasks and services of one guest. Their runs go on without a connection. The guest stores for each process the newest
 * epoch and generation under which it was worked on; methods that change it reject with StaleInGuest for an older origin.
 */
export interface GuestProcesses {
  /** The newest run of a process; null where the guest has none. One that a reboot cut short has ended as `lost`. */
  newestRun(processId: string, signal: AbortSignal): Promise<KnownRun | null>
  /**
   * Starts the run unless the guest has it or a newer one, and follows it until it ends: its output from `offset` on, of
   * which the guest keeps the first and the last MiBs. Throws only when the signal aborts or the guest misbehaves; the
   * run itself goes on in that case.
   */
  follow(run: GuestRun, offset: number, origin: Origin, signal: AbortSignal): AsyncIterable<RunEvent>
  /**
   * Asks the newest run to end, kills what is left of it after its grace, and resolves when none of its processes is left.
   * Repeatable; resolves at once where there is none. The run ends with the cause `stopped`.
   */
  stop(processId: string, origin: Origin, signal: AbortSignal): Promise<void>
  /**
   * Puts a text in place of the one before into the file that `HEARTH_WISH` names to every run of the process; runs of the
   * user root can read it. It is gone when the machine is off. Nothing is started or ended by it.
   */
  tell(processId: string, wish: string, origin: Origin, signal: AbortSignal): Promise<void>
  /** Removes all that the guest keeps of a process, which must have no run. */
  forget(processId: string, origin: Origin, signal: AbortSignal): Promise<void>
}
