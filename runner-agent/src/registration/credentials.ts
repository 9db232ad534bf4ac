import { setTimeout as delay } from 'node:timers/promises'
import type { NatsCredentials } from '@hearth/contract'
import { backoff, type Clock, toError } from '@hearth/foundation'
import type { Logger } from 'pino'

interface CredentialsOptions {
  /** Those of the registration; without credentials where NATS asks for none. */
  given: NatsCredentials
  renew(signal: AbortSignal): Promise<NatsCredentials>
  clock: Clock
  log: Logger
}

/** The longest that a timer of Node.js waits. */
const mostMilliseconds = 2 ** 31 - 1

/**
 * The runner's newest credentials for NATS. They are renewed when half of their time is over, so that a control plane
 * that is away for as long does not cost the connection; when the old ones end, the server ends the connection, and the
 * next one begins with these.
 */
export class Credentials {
  private newest: NatsCredentials

  constructor(private readonly options: CredentialsOptions) {
    this.newest = options.given
  }

  /** The text of a credentials file. */
  readonly current = (): string => this.newest.credentials ?? ''

  /** Renews them until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    while (!signal.aborted) {
      const { expiresAt = null } = this.newest
      // Those of older control planes, and none at all, never end.
      if (expiresAt === null) return
      const left = Date.parse(expiresAt) - clock.now().getTime()
      await pause(Math.min(Math.max(0, left / 2), mostMilliseconds), signal)
      await this.renew(signal)
    }
  }

  private async renew(signal: AbortSignal): Promise<void> {
    const { renew, log } = this.options
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        this.newest = await renew(signal)
        return
      } catch (thrown) {
        if (signal.aborted) return
        const { expiresAt } = this.newest
        log.warn({ error: toError(thrown), expiresAt }, 'the credentials for NATS are not renewed yet')
        await pause(backoff(attempt, { first: 250, most: 10_000 }), signal)
      }
    }
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
}
