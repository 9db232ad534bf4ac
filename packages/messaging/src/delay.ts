import { setTimeout } from 'node:timers/promises'

/** Resolves after the given time or as soon as the signal aborts; the caller then checks the signal. */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown
  }
}
