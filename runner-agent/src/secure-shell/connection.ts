import type { Duplex } from 'node:stream'
import { toError } from '@hearth/foundation'
import { NodeSSH } from 'node-ssh'
import type { ClientChannel } from 'ssh2'
import { publicKeyBytes } from './host-key.ts'

export interface ConnectionOptions {
  /** An open stream to the server, or the address to connect to. */
  stream?: Duplex
  host: string
  port: number
  user: string
  /** OpenSSH private key file. */
  privateKey: string
  /** OpenSSH public key line of the server. */
  hostKey: string
  /** Another key that the server may show as well; any other one ends the connection. */
  formerHostKey?: string | null
  readyTimeoutMilliseconds?: number
  /** Aborts an attempt to connect that has not succeeded yet. */
  signal?: AbortSignal
}

export interface ExecutionOptions {
  input?: string | Buffer
  /** Whether standard input stays open for `write`. */
  keepInputOpen?: boolean
  onStdout?: (chunk: Buffer) => void
  onStderr?: (chunk: Buffer) => void
  signal?: AbortSignal
  timeoutMilliseconds?: number
}

export interface Execution {
  write(input: string | Buffer): void
  /** Pauses or resumes standard output at the other end. */
  pause(): void
  resume(): void
  /** Ends the execution early, when the caller needs no more output. */
  close(): void
  /** Resolves with the exit code; rejects when the connection or the channel ended without one. */
  readonly exitCode: Promise<number>
}

/** The server showed another key than the pinned one. */
export class HostKeyMismatch extends Error {
  override readonly name = 'HostKeyMismatch'
}

/** Limit of the send buffer in bytes; a server that makes us answer and never reads is cut off. */
const mostUnsentBytes = 16 * 1024 * 1024
const unsentMilliseconds = 1_000
const sessionMilliseconds = 30_000
const keepaliveMilliseconds = 10_000
const keepalivesMissed = 3
/** OpenSSH allows ten sessions by default; some are left for other users. */
const sessionsAtOnce = 8

/** One SSH connection to a pinned server. */
export class SecureShellConnection {
  private readonly waiting: (() => void)[] = []
  private sessions = 0
  private closed: Error | null = null
  private readonly closeListeners = new Set<(error: Error) => void>()

  private constructor(private readonly shell: NodeSSH) {}

  /** Resolves when the server has proved its key and accepted ours. */
  static async open(options: ConnectionOptions): Promise<SecureShellConnection> {
    const shell = new NodeSSH()
    const pinned = [options.hostKey, options.formerHostKey ?? options.hostKey].map(publicKeyBytes)
    let mismatch = false
    const giveUp = () => options.stream?.destroy(toError(options.signal?.reason))
    options.signal?.addEventListener('abort', giveUp, { once: true })
    try {
      options.signal?.throwIfAborted()
      await shell.connect({
        ...(options.stream === undefined
          ? { host: options.host, port: options.port }
          : { sock: options.stream as never }),
        username: options.user,
        privateKey: options.privateKey,
        readyTimeout: options.readyTimeoutMilliseconds ?? 30_000,
        keepaliveInterval: keepaliveMilliseconds,
        keepaliveCountMax: keepalivesMissed,
        hostVerifier: (key: Buffer) => {
          mismatch = !pinned.some((known) => key.equals(known))
          return !mismatch
        },
        // The cheapest secure algorithms: every operation is expensive in an emulated guest.
        algorithms: {
          serverHostKey: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-256'],
          kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256'],
          cipher: ['aes128-gcm@openssh.com', 'aes128-gcm', 'aes128-ctr'],
        },
      })
    } catch (thrown) {
      shell.connection?.on('error', () => undefined)
      shell.dispose()
      if (mismatch)
        throw new HostKeyMismatch(`the server at ${options.host}:${options.port} has another host key`)
      throw toError(thrown)
    } finally {
      options.signal?.removeEventListener('abort', giveUp)
    }
    const connection = new SecureShellConnection(shell)
    const client = shell.connection
    if (client === null) throw new Error('the connection ended at once')
    // Without an error listener a dropped connection would end the whole program.
    client.on('error', (error) => connection.end(error))
    client.on('close', () => connection.end(new Error('the connection was closed')))
    client.setMaxListeners(0)
    if (options.stream !== undefined) connection.watchUnsent(options.stream)
    return connection
  }

  get isOpen(): boolean {
    return this.closed === null
  }

  /** Calls back once when the connection has ended, whoever ended it. */
  onEnd(listener: (error: Error) => void): void {
    if (this.closed === null) this.closeListeners.add(listener)
    else listener(this.closed)
  }

  async execute(command: string, options: ExecutionOptions = {}): Promise<Execution> {
    await this.takeSession(options.signal)
    try {
      return await this.open(command, options)
    } catch (thrown) {
      this.releaseSession()
      throw toError(thrown)
    }
  }

  forward(host: string, port: number): Promise<Duplex> {
    if (this.closed !== null) return Promise.reject(this.closed)
    return this.shell.forwardOut('127.0.0.1', 0, host, port)
  }

  close(): void {
    this.end(new Error('the connection was closed'))
  }

  /** Closes the connection; everything waiting on it rejects with this error. */
  cut(cause: Error): void {
    this.end(cause)
  }

  private watchUnsent(stream: Duplex): void {
    const timer = setInterval(() => {
      if (stream.writableLength > mostUnsentBytes)
        this.end(new Error('the other end does not read what it asks for'))
    }, unsentMilliseconds)
    timer.unref()
    this.onEnd(() => clearInterval(timer))
  }

  private follow(channel: ClientChannel, options: ExecutionOptions): Execution {
    let isClosed = false
    const exitCode = new Promise<number>((resolve, reject) => {
      let code: number | null = null
      const fail = (error: Error) => {
        channel.destroy()
        settle()
        reject(error)
      }
      const onAbort = () => fail(toError(options.signal?.reason ?? new Error('called off')))
      const timer =
        options.timeoutMilliseconds === undefined
          ? undefined
          : setTimeout(() => fail(new Error('no answer in time')), options.timeoutMilliseconds)
      let settled = false
      const settle = () => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', onAbort)
        this.closeListeners.delete(fail)
        this.releaseSession()
      }
      this.closeListeners.add(fail)
      options.signal?.addEventListener('abort', onAbort, { once: true })
      channel.on('data', (chunk: Buffer) => (isClosed ? undefined : options.onStdout?.(chunk)))
      channel.stderr.on('data', (chunk: Buffer) => (isClosed ? undefined : options.onStderr?.(chunk)))
      channel.on('error', fail)
      channel.on('exit', (exit: number | null) => {
        code = exit
      })
      channel.on('close', () => {
        if (settled) return
        settle()
        if (code === null) reject(new Error('the command ended without an exit code'))
        else resolve(code)
      })
      if (options.signal?.aborted === true) onAbort()
    })
    // A caller that awaits this promise gets the error; an unhandled rejection, because nobody awaits it after a cut,
    // must not end the program.
    exitCode.catch(() => undefined)
    if (options.input !== undefined) channel.write(options.input)
    if (options.keepInputOpen !== true) channel.end()
    return {
      write: (input) => channel.write(input),
      pause: () => {
        if (!isClosed) channel.pause()
      },
      resume: () => channel.resume(),
      close: () => {
        isClosed = true
        // A paused channel never says that it has ended, and its session would count as taken for good.
        channel.resume()
        channel.destroy()
      },
      exitCode,
    }
  }

  private open(command: string, options: ExecutionOptions): Promise<Execution> {
    return new Promise((resolve, reject) => {
      const client = this.shell.connection
      if (this.closed !== null || client === null) {
        reject(this.closed ?? new Error('the connection was closed'))
        return
      }
      // A requested session cannot be cancelled: if it is not granted, the connection is closed.
      const giveUp = (why: Error) => {
        this.end(why)
        settle()
        reject(why)
      }
      const onAbort = () => giveUp(toError(options.signal?.reason))
      const timer = setTimeout(() => giveUp(new Error('no session was given in time')), sessionMilliseconds)
      const settle = () => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', onAbort)
        this.closeListeners.delete(fail)
      }
      const fail = (error: Error) => {
        settle()
        reject(error)
      }
      this.closeListeners.add(fail)
      options.signal?.addEventListener('abort', onAbort, { once: true })
      client.exec(command, (error, channel) => {
        settle()
        // Registered at once: a short command's whole answer may be in the packet being read.
        if (error === undefined) resolve(this.follow(channel, options))
        else reject(error)
      })
    })
  }

  private end(error: Error): void {
    if (this.closed !== null) return
    this.closed = error
    this.shell.dispose()
    for (const listener of [...this.closeListeners]) listener(error)
    this.closeListeners.clear()
    for (const next of this.waiting.splice(0)) next()
  }

  private async takeSession(signal: AbortSignal | undefined): Promise<void> {
    while (this.sessions >= sessionsAtOnce && this.closed === null) {
      signal?.throwIfAborted()
      await this.nextRelease(signal)
    }
    if (this.closed !== null) throw this.closed
    this.sessions += 1
  }

  /** Whoever gives up waiting leaves the queue: a release wakes one only, who has to be there. */
  private nextRelease(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        const place = this.waiting.indexOf(wake)
        if (place >= 0) this.waiting.splice(place, 1)
        resolve()
      }
      this.waiting.push(wake)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  private releaseSession(): void {
    this.sessions -= 1
    this.waiting.shift()?.()
  }
}
