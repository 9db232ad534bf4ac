/** The ids that the control plane calls unwanted, compared with those it called so before. */
export interface UnwantedSight {
  /** When each id was first called unwanted, in monotonic milliseconds. */
  since: ReadonlyMap<string, number>
  unwanted: readonly string[]
  /** When the last order for an id arrived; null where there is none. */
  lastOrderAt(id: string): number | null
  now: number
  graceMilliseconds: number
}

export interface UnwantedJudgement {
  since: Map<string, number>
  /** Ids called unwanted both at the beginning and at the end of the grace period. */
  remove: string[]
  /** When the next grace period ends; null when none is running. */
  nextEnd: number | null
}

/**
 * Something is removed when two replies, a grace period apart, call it unwanted and nothing between them wanted it.
 * An order from before the first of these replies is void: the control plane has given it up since then.
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
