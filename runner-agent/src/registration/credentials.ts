import { setTimeout as delay } from 'node:timers/promises'
import type { NatsCredentials } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { RegistrationRefused } from './register.ts'

interface CredentialsOptions {
  /** Those of the registration; without credentials where NATS asks for none. */
  given: NatsCredentials
  renew(signal: AbortSignal): Promise<NatsCredentials>
  /** The control plane knows this runner no more; nothing is renewed after that. */
  refused(reason: string): void
  /** Milliseconds that only rise: the host's clock may be wrong, and may be set. */
  now(): number
  log: Logger
}

/** The longest that a timer of Node.js waits. */
const mostMilliseconds = 2 ** 31 - 1
/** Between two renewals that NATS asks for: an agent that it goes on refusing must not keep the control plane busy. */
const leastMilliseconds = 5_000

/**
 * The runner's newest credentials for NATS. They are renewed when half of their time is over, so that a control plane
 * that is away for as long does not cost the connection; when the old ones end, the server ends the connection, and the
 * next one begins with these.
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

  /** NATS has refused them: they are renewed soon, whatever was said of their end. */
  doubt(): void {
    this.hurry?.()
  }

  /** Renews them until the signal aborts, or the control plane knows the runner no more. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { expiresInSeconds = null, credentials } = this.newest
      // Where NATS asks for none there are none to renew.
      if (credentials === null) return
      // Those of an agent that was taken for an older one do not end; they may be revoked.
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
      // Their time runs from when they are made, which is after they are asked for.
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
        log.warn({ error, expiresAt: this.newest.expiresAt }, 'the credentials for NATS are not renewed yet')
        const pause = backoff(attempt, { first: 250, most: 10_000 })
        await delay(pause, undefined, { signal }).catch(() => undefined)
      }
    }
    return false
  }
}

const within = (milliseconds: number) => Math.min(Math.max(0, milliseconds), mostMilliseconds)
