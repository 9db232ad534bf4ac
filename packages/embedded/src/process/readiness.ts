import { setTimeout as delay } from 'node:timers/promises'
import { backoff, HearthError, toError } from '@hearth/foundation'
import { lastLines, type ServerProcess } from './server-process.ts'

interface ReadinessOptions {
  name: string
  server: ServerProcess
  logFile: string
  timeoutMilliseconds: number
  /** Throws while the server does not answer as it should; what is not retryable ends the waiting. */
  check(): Promise<void>
}

/** Resolves once the check passes; throws with the server's own last lines when it ends first or takes too long. */
export async function whenReady(options: ReadinessOptions): Promise<void> {
  const start = performance.now()
  for (let attempt = 0; ; attempt += 1) {
    try {
      await options.check()
      return
    } catch (thrown) {
      if (thrown instanceof HearthError && !thrown.retryable) throw thrown
      const since = Math.round(performance.now() - start)
      if (options.server.hasExited()) throw await failure(options, `${options.name} ended while it started`)
      if (since > options.timeoutMilliseconds) {
        throw await failure(
          options,
          `${options.name} did not answer after ${since} ms (${toError(thrown).message})`,
        )
      }
    }
    await delay(backoff(attempt, { first: 10, most: 250 }))
  }
}

async function failure(options: ReadinessOptions, what: string): Promise<HearthError> {
  return new HearthError(
    'unavailable',
    `${what}; the end of ${options.logFile}:\n${await lastLines(options.logFile, 10)}`,
  )
}
