import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { bundle } from './programs.ts'

const stopMilliseconds = 20_000

/** The shipped agent as a separate process, started and ended as by a service manager or a crash. */
export class AgentProcess {
  private child: ChildProcess | null = null
  /** Resolves when the process that was started last has ended. */
  ended: Promise<void> = Promise.resolve()

  constructor(
    private readonly settings: Readonly<Record<string, string>>,
    readonly logPath: string,
    /** Path of another program than the shipped one. */
    private readonly program: string | null = null,
  ) {}

  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const program = this.program ?? (await bundle('runner-agent'))
    const child = spawn(process.execPath, [program], {
      env: { PATH: process.env.PATH, HEARTH_LOG_LEVEL: 'debug', ...this.settings, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const log = createWriteStream(this.logPath, { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    if (process.env.HEARTH_TEST_LOG !== undefined) child.stdout.pipe(process.stderr, { end: false })
    this.child = child
    this.ended = new Promise((resolve) => child.once('exit', () => resolve()))
  }

  get pid(): number {
    const pid = this.child?.pid
    if (pid === undefined) throw new Error('the agent does not run')
    return pid
  }

  /** Sends SIGKILL; resolves when the process is gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL')
  }

  /** Stops the agent gracefully; guests keep running. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), stopMilliseconds)
    await this.end('SIGTERM')
    clearTimeout(timer)
  }

  log(): Promise<string> {
    return existsSync(this.logPath) ? readFile(this.logPath, 'utf8') : Promise.resolve('')
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this
    this.child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await this.ended
  }
}
