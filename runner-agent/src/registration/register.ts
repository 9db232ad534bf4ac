import { setTimeout as delay } from 'node:timers/promises'
import { type Registration, type RunnerFacts, registrationSchema } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { RunnerFile } from '../state/runner-file.ts'

const requestMilliseconds = 15_000

/** The control plane knows this runner and refuses it: trying again changes nothing. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused'
}

/**
 * Tells the control plane that this agent now acts for the runner, and gets the lease's epoch and the way to NATS.
 * Tries until it answers or the signal aborts. Throws RegistrationRefused on an answer that says no.
 */
export async function register(
  runner: RunnerFile,
  facts: RunnerFacts,
  log: Logger,
  signal: AbortSignal,
): Promise<Registration> {
  const url = new URL(`/v1/runners/${runner.runnerId}/registration`, runner.url)
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted()
    try {
      return await request(url, runner.token, facts, signal)
    } catch (thrown) {
      if (thrown instanceof RegistrationRefused) throw thrown
      const error = toError(thrown)
      const cause = error.cause === undefined ? '' : ` (${toError(error.cause).message})`
      log.warn({ url: url.href, reason: error.message + cause }, 'the control plane does not answer yet')
      await delay(backoff(attempt, { first: 100, most: 5_000 }), undefined, { signal })
    }
  }
}

async function request(
  url: URL,
  token: string,
  facts: RunnerFacts,
  signal: AbortSignal,
): Promise<Registration> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ facts }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(requestMilliseconds)]),
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
