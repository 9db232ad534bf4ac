/** What the control plane says that nobody wants, held against what it said before. */
export interface UnwantedSight {
  /** When each was first said to be unwanted, in milliseconds that only rise. */
  since: ReadonlyMap<string, number>
  unwanted: readonly string[]
  /** When the last order for it came; null where there is none. */
  lastOrderAt(id: string): number | null
  now: number
  graceMilliseconds: number
}

export interface UnwantedJudgement {
  since: Map<string, number>
  /** Unwanted for as long as the grace, and said to be so at its beginning and its end. */
  remove: string[]
  /** When the next grace ends; null when none is running. */
  nextEnd: number | null
}

/**
 * A machine goes when two answers, a grace apart, call it unwanted and nothing between them wanted it. An order from
 * before the first of them is void: the control plane gave the machine up since.
 */
export function judgeUnwanted(seen: UnwantedSight): UnwantedJudgement {
  const since = new Map<string, number>()
  const remove: string[] = []
  let nextEnd: number | null = null
  for (const id of seen.unwanted) {
    const before = seen.since.get(id)
    const ordered = seen.lastOrderAt(id)
    const first = before === undefined || (ordered !== null && ordered >= before) ? seen.now : before
    since.set(id, first)
    const end = first + seen.graceMilliseconds
    if (end <= seen.now) remove.push(id)
    else nextEnd = Math.min(end, nextEnd ?? end)
  }
  return { since, remove, nextEnd }
}
