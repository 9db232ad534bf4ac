import type { ListedEntry, WriteMode } from '@hearth/contract'

/** A command that somebody waits for. */
export interface GuestExec {
  /** Names what the guest keeps while it runs. */
  id: string
  /** Bash source. */
  command: string
  /** Absolute path in the guest. */
  folder: string
  limitSeconds: number
  /** Of each of its outputs: what is printed beyond is left out. */
  mostOutputBytes: number
}

export interface ExecOutput {
  bytes: Buffer
  /** Whether there was more. */
  isCut: boolean
}

export interface ExecEnd {
  /** Null where its time was up. */
  exitCode: number | null
  stdout: ExecOutput
  stderr: ExecOutput
}

export type FileSeen =
  /** `sha256` is of the whole file; null for a large one. */
  | { kind: 'file'; bytes: Buffer; size: number; sha256: string | null }
  | { kind: 'folder'; entries: ListedEntry[]; isCut: boolean }

/** Why a guest could not do what it was asked. */
export type CallFault =
  | 'missing'
  | 'exists'
  /** Neither a file nor a folder, or a folder where a file is meant. */
  | 'no_file'
  | 'denied'
  /** The disk takes no more. */
  | 'full'
  | 'no_folder'
  | 'too_slow'

/** The guest answered, and could not do it. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused'

  constructor(readonly fault: CallFault) {
    super(`the guest could not do it: ${fault}`)
  }
}

/**
 * It failed after the guest had been asked: whether it was done is not known. A HearthError as its cause is what the caller is
 * told; else the connection was lost.
 */
export class CallLost extends Error {
  override readonly name = 'CallLost'
}

/**
 * What is done in a guest while somebody waits for it. Each call is its own: what one does, or what the guest makes of it,
 * ends no other. Throws CallRefused, CallLost, GuestUnreachable when the guest was not reached before the signal, and
 * GuestMisbehaved when it sends too much, or no answer.
 */
export interface GuestCalls {
  /**
   * Runs a command as root, with the variables of the environment file and without input. When its time is up, or the
   * signal aborts, it is ended with all that it has started; what it leaves behind when it ends by itself goes on.
   */
  exec(exec: GuestExec, signal: AbortSignal): Promise<ExecEnd>
  /** At most `length` bytes of a file from `offset` on, or what is in a folder. */
  readFile(path: string, offset: number, length: number, signal: AbortSignal): Promise<FileSeen>
  /** Writes a file as a person would: one that is there keeps its owner and mode. Makes the folders on the way. */
  writeFile(path: string, content: Buffer, mode: WriteMode, signal: AbortSignal): Promise<void>
}
