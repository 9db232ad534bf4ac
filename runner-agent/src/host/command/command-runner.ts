import type { Duplex } from 'node:stream'

export interface CommandResult {
  exitCode: number
  stdout: string
  stderr: string
}

export interface CommandOptions {
  input?: string | Buffer
  timeoutMilliseconds?: number
  signal?: AbortSignal
  /** Output limit in bytes; a command that prints more fails. */
  outputLimitBytes?: number
}

export const defaultTimeoutMilliseconds = 60_000
export const defaultOutputLimitBytes = 8 * 1024 * 1024

/** Runs commands and reads and writes files on one host, local or remote, through one interface. */
export interface CommandRunner {
  /** Name for messages: `this host` or `user@host`. */
  readonly describedAs: string
  /**
   * Runs a command in the C locale. Resolves with any exit code; rejects when the command cannot run, is cut off, or
   * exceeds its output limit.
   */
  run(command: readonly [string, ...string[]], options?: CommandOptions): Promise<CommandResult>
  /**
   * Runs a command in the C locale until the signal ends it and hands over its output line by line. Resolves when the
   * command has ended, for whatever reason; rejects when it cannot run.
   */
  follow(
    command: readonly [string, ...string[]],
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** Reads a file of some kilobytes; local files are read synchronously. Null where there is no such file. */
  readFile(path: string): Promise<Buffer | null>
  /**
   * Writes a temporary file and renames it, so that a reader sees the old or the new content. Creates missing folders
   * (mode 0711).
   */
  writeFile(path: string, content: string | Buffer, mode: number): Promise<void>
  /** Part of a large file, shorter at its end. Rejects where there is no such file. */
  readPart(path: string, offset: number, length: number): Promise<Buffer>
  /** Writes a part of a large file (mode 0600), which is created where there is none. */
  writePart(path: string, offset: number, content: Buffer): Promise<void>
  /**
   * Sends a file from an offset on into a Unix socket; both are on that host. Resolves when the receiver has closed the
   * connection, whether or not it took everything; rejects when nothing listens there.
   */
  pour(path: string, offset: number, socket: string, timeoutMilliseconds: number): Promise<void>
  /** The names in a folder; empty where there is none. */
  list(path: string): Promise<string[]>
  /**
   * Renames a file or folder atomically. Does nothing where the source does not exist; rejects when the target is a
   * folder that is not empty.
   */
  rename(from: string, to: string): Promise<void>
  /** Removes a folder and everything below it; does nothing where there is none. */
  remove(path: string): Promise<void>
  /** Opens a connection from that host. */
  connect(host: string, port: number): Promise<Duplex>
  close(): Promise<void>
}

/** The command could not run or did not end by itself. */
export class CommandError extends Error {
  override readonly name = 'CommandError'

  constructor(command: readonly string[], cause: string) {
    super(`${command.slice(0, 4).join(' ').slice(0, 200)}: ${cause}`)
  }
}
