export interface Latencies {
  /** Milliseconds. */
  p50: number
  p90: number
  p99: number
  perSecond: number
}

/** `samples` in milliseconds, taken over `seconds` of wall time. */
export function latenciesOf(samples: readonly number[], seconds: number): Latencies {
  const sorted = samples.toSorted((a, b) => a - b)
  return {
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    perSecond: samples.length / seconds,
  }
}

export function median(samples: readonly number[]): number {
  return quantile(
    samples.toSorted((a, b) => a - b),
    0.5,
  )
}

function quantile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  if (value === undefined) throw new Error('no samples')
  return value
}

/** Calls `work` `count` times from `callers` at once and measures each call. */
export async function measure(
  count: number,
  callers: number,
  work: (index: number, caller: number) => Promise<void>,
): Promise<Latencies> {
  const samples: number[] = []
  let next = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (next < count) {
        const index = next++
        const before = performance.now()
        await work(index, caller)
        samples.push(performance.now() - before)
      }
    }),
  )
  return latenciesOf(samples, (performance.now() - started) / 1000)
}
