import { setTimeout as delay } from 'node:timers/promises'
import type { NatsCredentials } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { RegistrationRefused } from './register.ts'

interface CredentialsOptions {
  /** Credentials from the registration; without a credentials file where NATS requires none. */
  given: NatsCredentials
  renew(signal: AbortSignal): Promise<NatsCredentials>
  /** Called when the control plane no longer knows this runner; nothing is renewed after that. */
  refused(reason: string): void
  /** Monotonic clock, in milliseconds: the host's clock may be wrong, and may be set. */
  now(): number
  log: Logger
}

/** The longest delay of a timer in Node.js. */
const mostMilliseconds = 2 ** 31 - 1
/**
 * Minimum time between two renewals caused by NATS: an agent that NATS keeps refusing must not keep the control plane
 * busy.
 */
const leastMilliseconds = 5_000

/**
 * The runner's newest credentials for NATS. They are renewed after half of their lifetime, so that a control plane
 * that is away for less than the other half costs no connection. When the old credentials expire, the server ends the
 * connection and the next one uses the new ones.
 */
export class Credentials {
  private newest: NatsCredentials
  private givenAt: number
  private hurry: (() => void) | null = null

  constructor(private readonly options: CredentialsOptions) {
    this.newest = options.given
    this.givenAt = options.now()
  }

  /** The text of a credentials file. */
  readonly current = (): string => this.newest.credentials ?? ''

  /** Called when NATS has refused the credentials: they are renewed soon, whatever their expiry. */
  doubt(): void {
    this.hurry?.()
  }

  /** Renews the credentials until the signal aborts or the control plane no longer knows the runner. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { expiresInSeconds = null, credentials } = this.newest
      // Where NATS requires no credentials there is nothing to renew.
      if (credentials === null) return
      // Credentials of an agent that was taken for an older version do not expire; they may be revoked.
      const due = expiresInSeconds === null ? Number.POSITIVE_INFINITY : (expiresInSeconds * 1_000) / 2
      await this.untilDue(due, signal)
      if (!(await this.renewed(signal))) return
    }
  }

  private async untilDue(due: number, signal: AbortSignal): Promise<void> {
    const age = this.options.now() - this.givenAt
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.hurry = null
        resolve()
      }
      let timer = setTimeout(done, within(due - age))
      signal.addEventListener('abort', done, { once: true })
      this.hurry = () => {
        this.hurry = null
        clearTimeout(timer)
        timer = setTimeout(
          done,
          within(Math.min(due, leastMilliseconds) - (this.options.now() - this.givenAt)),
        )
      }
      if (signal.aborted) done()
    })
  }

  private async renewed(signal: AbortSignal): Promise<boolean> {
    const { renew, refused, now, log } = this.options
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      // Their lifetime starts when they are issued, which is after the request was sent.
      const askedAt = now()
      try {
        this.newest = await renew(signal)
        this.givenAt = askedAt
        return true
      } catch (thrown) {
        if (signal.aborted) return false
        const error = toError(thrown)
        if (thrown instanceof RegistrationRefused && thrown.isUnknown) {
          refused(error.message)
          return false
        }
        log.warn(
          { error, expiresAt: this.newest.expiresAt },
          'cannot renew the credentials for NATS yet; retrying',
        )
        const pause = backoff(attempt, { first: 250, most: 10_000 })
        await delay(pause, undefined, { signal }).catch(() => undefined)
      }
    }
    return false
  }
}

const within = (milliseconds: number) => Math.min(Math.max(0, milliseconds), mostMilliseconds)
