import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { backoff, HearthError } from '@hearth/foundation'
import { end } from '../process/end.ts'
import { identityOf, type ProcessIdentity } from '../process/identity.ts'

export interface ProcessPlan {
  /** Name for messages and for the record of processes. */
  name: string
  program: string
  arguments: readonly string[]
  variables: Readonly<Record<string, string | undefined>>
  /** File to which the output of the process is appended. */
  logFile: string
  /** Exit statuses after which the process is not restarted, with their meaning. */
  finalExits?: Readonly<Record<number, string>>
}

export interface SupervisorListener {
  /** Called with each new process, so that a later start can find it if this process is killed. */
  started(name: string, identity: ProcessIdentity): void
  /** Called with a message when the process died and what follows. */
  note(text: string): void
}

/** A child process that is restarted, with growing delays, whenever it dies, until it is stopped. */
export class SupervisedProcess {
  readonly #plan: ProcessPlan
  readonly #listener: SupervisorListener
  #child: ChildProcess | null = null
  #identity: ProcessIdentity | null = null
  #restart: NodeJS.Timeout | null = null
  #deaths = 0
  #stopping = false

  constructor(plan: ProcessPlan, listener: SupervisorListener) {
    this.#plan = plan
    this.#listener = listener
  }

  get name(): string {
    return this.#plan.name
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get logFile(): string {
    return this.#plan.logFile
  }

  start(): void {
    const { program, variables, logFile } = this.#plan
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o755 })
    const log = openSync(logFile, 'a', 0o640)
    const startedAt = performance.now()
    // A session of its own: Ctrl-C in the terminal must not end all processes at once, but in order.
    const child = spawn(program, this.#plan.arguments, {
      env: { ...variables },
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    this.#child = child
    child.once('error', (error) => this.#died(`could not start: ${error.message}`, startedAt, null))
    child.once('exit', (code, signal) =>
      this.#died(`ended ${signal === null ? `with status ${code}` : `by ${signal}`}`, startedAt, code),
    )
    if (child.pid === undefined) return
    this.#identity = identityOf(child.pid)
    if (this.#identity !== null) this.#listener.started(this.name, this.#identity)
  }

  /** Asks the process to end, waits, and kills it after 20 s. Safe to repeat. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    if (this.#identity !== null) await end(this.#identity, 20_000)
  }

  /** Throws with the end of the log when the process is not running. */
  assertRunning(lastLines: (file: string) => string): void {
    if (this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null) return
    throw new HearthError(
      'unavailable',
      `the ${this.name} ended; its log ends with:\n${lastLines(this.logFile)}`,
    )
  }

  #died(how: string, startedAt: number, code: number | null): void {
    if (this.#stopping) return
    const final = code === null ? undefined : this.#plan.finalExits?.[code]
    if (final !== undefined) {
      this.#listener.note(`the ${this.name} ${how}: ${final}; it is not started again`)
      return
    }
    // A process that ran for a minute was healthy: its death restarts the count.
    this.#deaths = performance.now() - startedAt > 60_000 ? 0 : this.#deaths + 1
    const milliseconds = backoff(Math.max(0, this.#deaths - 1), { first: 500, most: 30_000 })
    this.#listener.note(
      `the ${this.name} ${how}; starting it again in ${milliseconds / 1_000} s (log: ${this.logFile})`,
    )
    this.#restart = setTimeout(() => this.start(), milliseconds)
  }
}
