import type { Execution, ExecutionOptions, SecureShellConnection } from '../../secure-shell/connection.ts'

/** Of the program and its input, the program's length in bytes comes first, on a line of its own. */
const receiver = `IFS= read -r size && IFS= LC_ALL=C read -r -d '' -N "$size" program && eval "$program"`

/** Sessions that wait for their program: in an emulated guest it takes 0.1 s to open one, while something else runs. */
export class WaitingShells {
  private waiting: Promise<WaitingShell> | null = null

  constructor(private readonly connection: SecureShellConnection) {}

  /** Runs a bash program, with `input` after it on its standard input, and has the next session opened meanwhile. */
  async execute(
    program: string,
    { input = '', ...listeners }: Omit<ExecutionOptions, 'keepInputOpen' | 'timeoutMilliseconds'>,
  ): Promise<Execution> {
    const waiting = this.waiting ?? this.open()
    // One that could not be opened is nobody's a second time.
    this.waiting = null
    const shell = await waiting
    this.prepare()
    shell.listen(listeners)
    const source = Buffer.from(program)
    shell.execution.write(Buffer.concat([Buffer.from(`${source.length}\n`), source, Buffer.from(input)]))
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

type Listeners = Pick<ExecutionOptions, 'onStdout' | 'onStderr' | 'signal'>

class WaitingShell {
  private listeners: Listeners = {}
  private readonly cutOff = new AbortController()
  private opened: Execution | null = null

  static async open(connection: SecureShellConnection): Promise<WaitingShell> {
    const shell = new WaitingShell()
    shell.opened = await connection.execute(receiver, {
      keepInputOpen: true,
      onStdout: (chunk) => shell.listeners.onStdout?.(chunk),
      onStderr: (chunk) => shell.listeners.onStderr?.(chunk),
      signal: shell.cutOff.signal,
    })
    // One that ends before it is used is noticed when it is.
    shell.opened.exitCode.catch(() => undefined)
    return shell
  }

  get execution(): Execution {
    if (this.opened === null) throw new Error('the session is not open')
    return this.opened
  }

  listen(listeners: Listeners): void {
    this.listeners = listeners
    const { signal } = listeners
    const abort = () => this.cutOff.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const forget = () => signal?.removeEventListener('abort', abort)
    this.execution.exitCode.then(forget, forget)
    if (signal?.aborted === true) abort()
  }
}
