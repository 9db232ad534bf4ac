/** Claims of a pool in the last hour, counted in short spans of time; those that were refused count too. */
export interface Demand {
  /** Spans from this one on may still grow: they are counted again. Milliseconds since 1970. */
  openFrom: number
  /** The beginning of each span in which there were claims, and how many, the earliest first. */
  spans: [from: number, claims: number][]
}

export const spanMilliseconds = 10_000
export const keptMilliseconds = 3_600_000
/** A claim is counted when its transaction has ended, which may be a while after it was made. */
const openMilliseconds = 2 * spanMilliseconds

export const noDemand = (now: Date): Demand => ({
  openFrom: spanOf(now.getTime() - keptMilliseconds),
  spans: [],
})

export function spanOf(milliseconds: number): number {
  return Math.floor(milliseconds / spanMilliseconds) * spanMilliseconds
}

/** The demand with what was counted anew in its open spans, without what is too long ago. */
export function recounted(
  before: Demand,
  counted: readonly (readonly [from: number, claims: number])[],
  now: Date,
): Demand {
  const oldest = now.getTime() - keptMilliseconds
  const sums = new Map<number, number>()
  for (const [from, claims] of [...before.spans.filter(([from]) => from < before.openFrom), ...counted])
    if (from > oldest) sums.set(from, (sums.get(from) ?? 0) + claims)
  return {
    openFrom: Math.max(before.openFrom, spanOf(now.getTime() - openMilliseconds)),
    spans: [...sums].toSorted(([one], [other]) => one - other),
  }
}

/** How many claims there were between two times. */
export function claimsWithin({ spans }: Demand, from: number, until: number): number {
  return spans.reduce(
    (sum, [at, claims]) => (at + spanMilliseconds > from && at < until ? sum + claims : sum),
    0,
  )
}

/** The most claims within any time of this length. */
export function burstWithin({ spans }: Demand, milliseconds: number): number {
  let [first, sum, most] = [0, 0, 0]
  for (const [from, claims] of spans) {
    sum += claims
    while ((spans[first]?.[0] ?? from) <= from - Math.max(milliseconds, spanMilliseconds))
      sum -= spans[first++]?.[1] ?? 0
    most = Math.max(most, sum)
  }
  return most
}
