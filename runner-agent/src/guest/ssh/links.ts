import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { HostKeyMismatch, SecureShellConnection } from '../../secure-shell/connection.ts'
import { type GuestMachine, GuestMisbehaved, GuestUnreachable, StaleInGuest } from '../guest.ts'
import { waitForAnswer } from './answering.ts'
import { SharedAttempt } from './shared-attempt.ts'
import { WaitingShells } from './waiting-shell.ts'

export interface SshGuestOptions {
  /** OpenSSH private key of the agent. */
  privateKey: string
  connect(host: string, port: number): Promise<Duplex>
  clock: { now(): Date }
}

/** An open connection to a guest. */
export interface Link {
  connection: SecureShellConnection
  shells: WaitingShells
}

export const retryMilliseconds = 500

/**
 * How many sessions of one connection may be kept for long: an SSH server allows ten by default, one always waits for its
 * program, and on the first connection others come and go.
 */
const longSessions = { first: 5, further: 7 }

/** A connection beside the first one. */
interface Further {
  attempt: SharedAttempt<Link>
  link: Link | null
  /** Long sessions that use it, or wait for it. */
  uses: number
}

/** The connections to one guest: the first, and further ones while its sessions do not suffice. */
export class Links {
  private first: Link | null = null
  private opening: SharedAttempt<Link> | null = null
  private readonly further = new Set<Further>()
  /** Long sessions of a first connection, which may have been lost since. */
  private readonly uses = new WeakMap<Link, number>()

  constructor(
    private readonly machine: GuestMachine,
    private readonly options: SshGuestOptions,
  ) {}

  /** How many of them are open. */
  get count(): number {
    const first = this.first?.connection.isOpen === true ? 1 : 0
    return first + [...this.further].filter(({ link }) => link?.connection.isOpen === true).length
  }

  /** Repeats the work, over a new connection if needed, until it succeeds or the signal aborts. */
  retrying<Result>(signal: AbortSignal, work: (link: Link) => Promise<Result>): Promise<Result> {
    return this.repeating(signal, isFinal, async () => work(await this.connected(signal)))
  }

  async repeating<Result>(
    signal: AbortSignal,
    isTheEnd: (thrown: unknown) => boolean,
    work: () => Promise<Result>,
  ): Promise<Result> {
    let last: Error | null = null
    for (;;) {
      if (signal.aborted) {
        throw new GuestUnreachable(last?.message ?? 'it did not answer', { cause: signal.reason })
      }
      try {
        return await work()
      } catch (thrown) {
        if (isTheEnd(thrown)) throw thrown
        if (!signal.aborted) last = toError(thrown)
        await delay(retryMilliseconds, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** The first connection, which is opened where it is not open. */
  async connected(signal: AbortSignal): Promise<Link> {
    if (this.first?.connection.isOpen === true) return this.first
    this.opening ??= new SharedAttempt(async (stop) => {
      try {
        this.first = await this.open(stop, null)
        return this.first
      } finally {
        this.opening = null
      }
    })
    return this.opening.join(signal)
  }

  /**
   * The same for a session that is kept for long, such as one that follows something; `end` gives it back. A further
   * connection is opened when others have no session left for it, and closed when none uses it.
   */
  async forLong(signal: AbortSignal): Promise<{ link: Link; end: () => void }> {
    const first = await this.connected(signal)
    const uses = this.uses.get(first) ?? 0
    if (uses < longSessions.first) {
      this.uses.set(first, uses + 1)
      return { link: first, end: once(() => this.uses.set(first, (this.uses.get(first) ?? 1) - 1)) }
    }
    const chosen = [...this.further].find(hasRoom) ?? this.openFurther()
    chosen.uses += 1
    const end = once(() => {
      chosen.uses -= 1
      if (chosen.uses > 0) return
      this.further.delete(chosen)
      chosen.link?.connection.close()
    })
    try {
      return { link: await chosen.attempt.join(signal), end }
    } catch (thrown) {
      if (chosen.link === null) this.further.delete(chosen)
      end()
      throw thrown
    }
  }

  async open(signal: AbortSignal, formerHostKey: string | null): Promise<Link> {
    const { address } = this.machine
    const stream = await waitForAnswer(() => this.options.connect(address.host, address.port), signal)
    const connection = await SecureShellConnection.open({
      ...address,
      formerHostKey,
      stream,
      privateKey: this.options.privateKey,
      signal,
    })
    if (signal.aborted) {
      connection.close()
      signal.throwIfAborted()
    }
    return { connection, shells: new WaitingShells(connection) }
  }

  /** Uses a connection that was opened for a special purpose as the first one. */
  use(link: Link): void {
    this.first = link
  }

  close(): void {
    this.opening?.cancel()
    this.first?.connection.close()
    this.first = null
    for (const { attempt, link } of this.further) {
      attempt.cancel()
      link?.connection.close()
    }
    this.further.clear()
  }

  private openFurther(): Further {
    const further: Further = {
      attempt: new SharedAttempt(async (stop) => {
        const link = await this.open(stop, null)
        further.link = link
        link.connection.onEnd(() => this.further.delete(further))
        return link
      }),
      link: null,
      uses: 0,
    }
    this.further.add(further)
    return further
  }
}

/** Errors that another attempt would not change. */
export function isFinal(thrown: unknown): boolean {
  return (
    thrown instanceof HostKeyMismatch || thrown instanceof StaleInGuest || thrown instanceof GuestMisbehaved
  )
}

const hasRoom = ({ uses, link }: Further) => uses < longSessions.further && link?.connection.isOpen !== false

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}
