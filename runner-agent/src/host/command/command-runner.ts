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
  /** More output than this, in bytes, ends the command as failed. */
  outputLimitBytes?: number
}

export const defaultTimeoutMilliseconds = 60_000
export const defaultOutputLimitBytes = 8 * 1024 * 1024

/** Runs commands and keeps files on one host, this one or another: the same words either way. */
export interface CommandRunner {
  /** For messages: `this host` or `user@host`. */
  readonly describedAs: string
  /** Its words are those of the C locale. Resolves with any exit code; rejects when the command cannot run, is cut off, or says too much. */
  run(command: readonly [string, ...string[]], options?: CommandOptions): Promise<CommandResult>
  /**
   * Runs a command that goes on until the signal ends it, and hands over its output line by line, in the words of the C
   * locale. Resolves when it has ended, whatever ended it; rejects when it cannot run.
   */
  follow(
    command: readonly [string, ...string[]],
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** For files of some kilobytes: this machine's are read while nothing else goes on. null where there is no such file. */
  readFile(path: string): Promise<Buffer | null>
  /** Written beside it and renamed, so that a reader sees the old or the new. Makes missing folders (0711). */
  writeFile(path: string, content: string | Buffer, mode: number): Promise<void>
  /** The names in a folder; empty where there is none. */
  list(path: string): Promise<string[]>
  /** In one move. Nothing where there is nothing to move; rejects when the new name is a folder that is not empty. */
  rename(from: string, to: string): Promise<void>
  /** A folder and all below it; nothing where there is none. */
  remove(path: string): Promise<void>
  /** A connection from that host. */
  connect(host: string, port: number): Promise<Duplex>
  close(): Promise<void>
}

/** The command did not run to an end of its own. */
export class CommandError extends Error {
  override readonly name = 'CommandError'

  constructor(command: readonly string[], cause: string) {
    super(`${command.slice(0, 4).join(' ').slice(0, 200)}: ${cause}`)
  }
}
