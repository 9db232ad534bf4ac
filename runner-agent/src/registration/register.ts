import { setTimeout as delay } from 'node:timers/promises'
import { type Registration, type RunnerFacts, registrationSchema } from '@hearth/contract'
import { backoff, Deadline, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { RunnerFile } from '../state/runner-file.ts'

const requestMilliseconds = 15_000

/** The control plane knows this runner and refuses it: trying again changes nothing. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused'
}

/**
 * Tells the control plane that this agent now acts for the runner, and gets the lease's epoch and the way to NATS.
 * Tries, at each of its addresses in turn, until one answers or the signal aborts. Throws RegistrationRefused on an answer that says no.
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
      return await request(url, runner.token, facts, signal)
    } catch (thrown) {
      if (thrown instanceof RegistrationRefused) throw thrown
      const error = toError(thrown)
      const cause = error.cause === undefined ? '' : ` (${toError(error.cause).message})`
      log.warn({ url: url.href, reason: error.message + cause }, 'the control plane does not answer yet')
      const round = Math.floor(attempt / urls.length)
      await delay(backoff(round, { first: 100, most: 5_000 }), undefined, { signal })
    }
  }
}

async function request(
  url: URL,
  token: string,
  facts: RunnerFacts,
  signal: AbortSignal,
): Promise<Registration> {
  using deadline = new Deadline(requestMilliseconds, signal)
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ facts }),
    signal: deadline.signal,
  })
  const text = await response.text()
  const refused = response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status)
  if (refused)
    throw new RegistrationRefused(
      `the control plane refuses this runner: ${response.status} ${text.slice(0, 500)}`,
    )
  if (!response.ok) throw new Error(`answered ${response.status}`)
  return registrationSchema.parse(JSON.parse(text))
}
