import { setTimeout } from 'node:timers/promises'

/** Resolves after the time given, or as soon as the signal aborts: the caller then looks at the signal. */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown
  }
}
