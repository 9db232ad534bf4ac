import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Execution, SecureShellConnection } from '../../secure-shell/connection.ts'
import { GuestMisbehaved } from '../guest.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { fallbackLine, receivingCommand } from './login-shell.ts'
import { mostPrefaceBytes, Preface } from './preface.ts'
import { shown } from './shown.ts'

const mostErrorBytes = 64 * 1024
const readyMilliseconds = 30_000

export interface ProgramOptions {
  /** Used in the error when the guest sends too much, for example `the identity check`. */
  purpose: string
  /** Limit of the standard output in bytes; null where the listener bounds it. Standard error is limited to 64 KiB. */
  mostBytes: number | null
  /** Input sent after the program on its standard input. */
  input?: string | Buffer
  /** Whether no other program follows on this connection. */
  isLast?: boolean
  onStdout?: (chunk: Buffer) => void
  onStderr?: (chunk: Buffer) => void
  signal: AbortSignal
}

/**
 * Keeps an opened session ready for the next program: opening one takes 0.1 s in an emulated guest, and meanwhile
 * something else can run.
 */
export class WaitingShells {
  private waiting: Promise<WaitingShell> | null = null

  constructor(private readonly connection: SecureShellConnection) {}

  /** Runs a bash program, followed by `input` on its standard input, and opens the next session meanwhile. */
  async execute(program: string, options: ProgramOptions): Promise<Execution> {
    options.signal.throwIfAborted()
    const waiting = this.waiting ?? this.open()
    // A session that could not be opened is not offered again.
    this.waiting = null
    const shell = await unlessAborted(waiting, options.signal).catch((thrown: unknown) => {
      if (options.signal.aborted) this.waiting ??= waiting
      throw thrown
    })
    if (options.isLast !== true) this.prepare()
    shell.listen(options)
    const source = Buffer.from(program)
    const input = Buffer.from(options.input ?? '')
    shell.execution.write(Buffer.concat([Buffer.from(`${source.length}\n`), source, input]))
    return shell.execution
  }

  /** Opens a session for the next program unless one is already waiting. */
  prepare(): void {
    this.waiting ??= this.open()
    // The failure is reported to the caller that takes the session.
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
    // A session that ends after it was ready is noticed when it is used.
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
    // The session has no output before it was given a program.
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
