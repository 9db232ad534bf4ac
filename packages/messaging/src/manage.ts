import { backoff, HearthError, toError } from '@hearth/foundation'
import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { delay } from './delay.ts'

const noSuitablePeers = 10_005

/**
 * Asks JetStream to create, change or remove something, and retries while it cannot decide: a cluster that has lost a
 * server first elects a new leader. `work` must be safe to repeat. Throws `unavailable` with the server's message
 * after `patienceMilliseconds`; a refusal is thrown at once.
 */
export async function manage<Result>(
  connection: Connection,
  patienceMilliseconds: number,
  work: (manager: JetStreamManager) => Promise<Result>,
): Promise<Result> {
  const start = performance.now()
  for (let attempt = 0; ; attempt += 1) {
    const left = patienceMilliseconds - (performance.now() - start)
    try {
      await connection.whenConnected(Math.max(0, left))
      return await work(await connection.jetStreamManager())
    } catch (thrown) {
      if (!mayPass(thrown)) throw thrown
      if (connection.nats.isClosed() || performance.now() - start > patienceMilliseconds) {
        throw new HearthError('unavailable', `JetStream does not do it: ${toError(thrown).message}`, {
          cause: thrown,
        })
      }
      await delay(backoff(attempt, { first: 100, most: 2_000 }))
    }
  }
}

/** Whether a retry may succeed: nobody answered, there is no leader, or too few servers of the cluster are up. */
function mayPass(thrown: unknown): boolean {
  if (!(thrown instanceof JetStreamApiError)) return true
  const { code, err_code } = thrown.apiError()
  return code === 503 || err_code === noSuitablePeers
}
