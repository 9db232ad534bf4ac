import { setTimeout as delay } from 'node:timers/promises'
import {
  type NatsCredentials,
  natsCredentialsSchema,
  type Registration,
  type RunnerFacts,
  registrationSchema,
  renewsCredentialsHeader,
} from '@hearth/contract'
import { backoff, Deadline, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { RunnerFile } from '../state/runner-file.ts'

const requestMilliseconds = 15_000

/** The control plane refuses this runner; retrying does not help. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused'

  constructor(
    message: string,
    /** The runner's token is no longer valid: the runner was deleted or its token revoked. */
    readonly isUnknown: boolean,
  ) {
    super(message)
  }
}

/**
 * Registers this agent as the one that acts for the runner; returns the lease's epoch and how to reach NATS. Tries
 * the control plane's addresses in turn until one answers or the signal aborts. Throws RegistrationRefused when the
 * answer is a refusal.
 */
export async function register(
  runner: RunnerFile,
  facts: RunnerFacts,
  log: Logger,
  signal: AbortSignal,
): Promise<Registration> {
  const urls = runner.urls.map((base) => new URL(`/v1/runners/${runner.runnerId}/registration`, base))
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted()
    const url = urls[attempt % urls.length] as URL
    try {
      const headers = { [renewsCredentialsHeader]: 'true' }
      const text = await request(url, runner.token, { body: JSON.stringify({ facts }), headers }, signal)
      return registrationSchema.parse(JSON.parse(text))
    } catch (thrown) {
      if (thrown instanceof RegistrationRefused) throw thrown
      const error = toError(thrown)
      const cause = error.cause === undefined ? '' : ` (${toError(error.cause).message})`
      log.warn(
        { url: url.href, reason: error.message + cause },
        'the control plane does not answer yet; retrying',
      )
      const round = Math.floor(attempt / urls.length)
      await delay(backoff(round, { first: 100, most: 5_000 }), undefined, { signal })
    }
  }
}

/**
 * New credentials for NATS, from the first address that answers. Throws the error of the last address when none does.
 */
export async function renewCredentials(runner: RunnerFile, signal: AbortSignal): Promise<NatsCredentials> {
  let failure = new Error('the runner has no address of a control plane')
  for (const base of runner.urls) {
    try {
      const url = new URL(`/v1/runners/${runner.runnerId}/credentials`, base)
      return natsCredentialsSchema.parse(JSON.parse(await request(url, runner.token, {}, signal)))
    } catch (thrown) {
      signal.throwIfAborted()
      failure = toError(thrown)
    }
  }
  throw failure
}

async function request(
  url: URL,
  token: string,
  sent: { body?: string; headers?: Record<string, string> },
  signal: AbortSignal,
): Promise<string> {
  using deadline = new Deadline(requestMilliseconds, signal)
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...sent.headers },
    body: sent.body ?? null,
    signal: deadline.signal,
  })
  const text = await response.text()
  const refused = response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status)
  if (refused)
    throw new RegistrationRefused(
      `the control plane refuses this runner: ${response.status} ${text.slice(0, 500)}`,
      response.status === 401,
    )
  if (!response.ok) throw new Error(`answered ${response.status}`)
  return text
}
