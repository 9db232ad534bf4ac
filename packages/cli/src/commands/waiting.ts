import { setTimeout as pause } from 'node:timers/promises'
import { HearthError } from '@hearth/foundation'

/** Polls every half second until the answer is true; throws `conflict` when the time has passed. */
export async function waitUntil(
  what: string,
  ask: () => Promise<boolean>,
  options: { seconds: number; signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + options.seconds * 1_000
  while (!(await ask())) {
    if (performance.now() > deadline) {
      throw new HearthError('conflict', `after ${options.seconds} s still waiting for ${what}`)
    }
    await pause(500, undefined, { signal: options.signal })
  }
}
