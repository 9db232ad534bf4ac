import { setTimeout as delay } from 'node:timers/promises'

interface EventuallyOptions {
  timeoutMilliseconds: number
  intervalMilliseconds?: number
}

/**
 * Asks again and again until the answer is truthy, and returns it; throws with the last answer, or the last error,
 * when the time is up. Only for what has no event to wait for.
 */
export async function eventually<Value>(
  check: () => Value | Promise<Value>,
  options: EventuallyOptions,
): Promise<NonNullable<Value>> {
  const deadline = performance.now() + options.timeoutMilliseconds
  for (;;) {
    let last: string
    let cause: unknown
    try {
      const value = await check()
      if (value) return value
      last = `the last answer was ${JSON.stringify(value)}`
    } catch (thrown) {
      cause = thrown
      last = `the last error was ${thrown instanceof Error ? thrown.message : String(thrown)}`
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${options.timeoutMilliseconds} ms: ${last}`, { cause })
    }
    await delay(options.intervalMilliseconds ?? 25)
  }
}
