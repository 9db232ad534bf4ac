import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Execution, SecureShellConnection } from '../../secure-shell/connection.ts'
import { GuestMisbehaved } from '../guest.ts'
import { fallbackLine, receivingCommand } from './login-shell.ts'
import { mostPrefaceBytes, Preface } from './preface.ts'
import { shown } from './shown.ts'

const mostErrorBytes = 64 * 1024
const readyMilliseconds = 30_000

export interface ProgramOptions {
  /** Named where the guest answers too much: `the identity check`. */
  purpose: string
  /** Of its standard output; null where whoever listens bounds it. Of the error stream 64 KiB are taken. */
  mostBytes: number | null
  /** Follows the program on its standard input. */
  input?: string | Buffer
  onStdout?: (chunk: Buffer) => void
  onStderr?: (chunk: Buffer) => void
  signal: AbortSignal
}

/** Sessions that wait for their program: in an emulated guest it takes 0.1 s to open one, while something else runs. */
export class WaitingShells {
  private waiting: Promise<WaitingShell> | null = null

  constructor(private readonly connection: SecureShellConnection) {}

  /** Runs a bash program, with `input` after it on its standard input, and has the next session opened meanwhile. */
  async execute(program: string, options: ProgramOptions): Promise<Execution> {
    options.signal.throwIfAborted()
    const waiting = this.waiting ?? this.open()
    // One that could not be opened is nobody's a second time.
    this.waiting = null
    const shell = await unlessAborted(waiting, options.signal).catch((thrown: unknown) => {
      if (options.signal.aborted) this.waiting ??= waiting
      throw thrown
    })
    this.prepare()
    shell.listen(options)
    const source = Buffer.from(program)
    const input = Buffer.from(options.input ?? '')
    shell.execution.write(Buffer.concat([Buffer.from(`${source.length}\n`), source, input]))
    return shell.execution
  }

  /** Opens the session that the next program will find waiting, unless one waits already. */
  prepare(): void {
    this.waiting ??= this.open()
    // Whoever takes it is told.
    this.waiting.catch(() => undefined)
  }

  private open(): Promise<WaitingShell> {
    return WaitingShell.open(this.connection)
  }
}

class WaitingShell {
  private listener: ProgramOptions | null = null
  private readonly cutOff = new AbortController()
  private readonly marker = `hearth-${randomBytes(16).toString('hex')}`
  private readonly preface = new Preface(this.marker)
  private readonly bytes = { stdout: 0, stderr: 0 }
  private opened: Execution | null = null
  private becomeReady: () => void = () => undefined

  private constructor(private readonly connection: SecureShellConnection) {}

  /** Resolves when bash waits for its program. */
  static async open(connection: SecureShellConnection): Promise<WaitingShell> {
    const shell = new WaitingShell(connection)
    const ready = new Promise<void>((resolve) => {
      shell.becomeReady = resolve
    })
    const execution = await connection.execute(receivingCommand(shell.marker), {
      keepInputOpen: true,
      onStdout: (chunk) => shell.onStdout(chunk),
      onStderr: (chunk) => shell.onStderr(chunk),
      signal: shell.cutOff.signal,
    })
    shell.opened = execution
    execution.write(fallbackLine(shell.marker))
    const ended = execution.exitCode.then((code) =>
      Promise.reject(shell.notReady(`ended with exit code ${code}`)),
    )
    const late = new AbortController()
    const inTime = delay(readyMilliseconds, undefined, { signal: late.signal }).then(() => {
      throw shell.notReady(`did not do so within ${readyMilliseconds / 1000} s`)
    })
    // One that ends after it was ready is noticed when it is used.
    for (const other of [ended, inTime]) other.catch(() => undefined)
    try {
      await Promise.race([ready, ended, inTime])
    } catch (thrown) {
      execution.close()
      throw thrown
    } finally {
      late.abort()
    }
    return shell
  }

  get execution(): Execution {
    if (this.opened === null) throw new Error('the session is not open')
    return this.opened
  }

  listen(listener: ProgramOptions): void {
    this.listener = listener
    const { signal } = listener
    const abort = () => this.cutOff.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const forget = () => signal.removeEventListener('abort', abort)
    this.execution.exitCode.then(forget, forget)
    if (signal.aborted) abort()
  }

  private onStdout(chunk: Buffer): void {
    const said = this.preface.push(chunk)
    if (this.preface.isTooLong) this.cut(mostPrefaceBytes, 'before the agent’s program began')
    if (!this.preface.hasEnded) return
    this.becomeReady()
    if (said.length === 0) return
    this.bytes.stdout += said.length
    // Before it was given a program it has nothing to say.
    const most = this.listener === null ? 0 : this.listener.mostBytes
    if (most !== null && this.bytes.stdout > most) this.cut(most, `to ${this.listener?.purpose ?? 'nothing'}`)
    else this.listener?.onStdout?.(said)
  }

  private onStderr(chunk: Buffer): void {
    this.bytes.stderr += chunk.length
    if (this.bytes.stderr > mostErrorBytes) {
      this.cut(mostErrorBytes, `on its error stream to ${this.listener?.purpose ?? 'nothing'}`)
    } else if (this.preface.hasEnded) this.listener?.onStderr?.(chunk)
  }

  private cut(bytes: number, to: string): void {
    this.connection.cut(new GuestMisbehaved(`the guest answered with more than ${bytes} bytes ${to}`))
  }

  private notReady(what: string): Error {
    const said = this.preface.text
    const hint = said === '' ? '' : `; it said "${shown(said)}"`
    return new Error(`the login shell of the guest was to run /bin/bash and ${what}${hint}`)
  }
}

function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = () => signal.removeEventListener('abort', onAbort)
    work.then(resolve, reject).finally(settle)
  })
}
