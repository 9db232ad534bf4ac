import { setTimeout as pause } from 'node:timers/promises'
import { backoff } from '@hearth/foundation'

/** Waits before try number `attempt` (0 is the first); returns early, without an error, when aborted. */
export async function pauseBeforeReconnect(attempt: number, signal: AbortSignal): Promise<void> {
  const milliseconds = backoff(attempt, { first: 100, most: 5_000 })
  await pause(milliseconds, undefined, { signal, ref: true }).catch(() => undefined)
}
