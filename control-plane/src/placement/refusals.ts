/** Why one runner does not take an environment. Refusals with the same `key` are grouped in one sentence. */
export interface Refusal {
  key: string
  /** Text that follows the name of one runner. */
  one: string
  /** Text that follows the number of runners; `most` names the runner that comes nearest. */
  many: string
  /** What the runner has left, in the unit of the refusal; null where the refusal is not about an amount. */
  left: number | null
  unit?: string
}

export interface RefusedRunner {
  name: string
  refusal: Refusal
}

export interface RefusalGroup {
  what: string
  names: string[]
}

/** Most groups named in one sentence; the rest is only counted. */
const groupsShown = 6
const namesShown = 3

/** Groups the refusals of a fleet by `key`, the most frequent first. */
export function groupRefusals(refused: readonly RefusedRunner[]): RefusalGroup[] {
  const groups = new Map<string, RefusedRunner[]>()
  for (const runner of refused) {
    const group = groups.get(runner.refusal.key)
    if (group === undefined) groups.set(runner.refusal.key, [runner])
    else group.push(runner)
  }
  return [...groups.values()].sort((a, b) => b.length - a.length).map(describeGroup)
}

/** Describes all refusals in one sentence, whose length does not grow with the fleet. */
export function describeRefusals(groups: readonly RefusalGroup[]): string {
  const shown = groups.slice(0, groupsShown).map(({ what }) => what)
  const rest = groups.slice(groupsShown).reduce((sum, { names }) => sum + names.length, 0)
  if (rest > 0) shown.push(`${rest} more for other reasons`)
  return shown.join('; ')
}

function describeGroup(runners: readonly RefusedRunner[]): RefusalGroup {
  const names = runners.map(({ name }) => name).sort()
  const [first] = runners
  if (first === undefined) return { what: '', names }
  if (runners.length === 1) return { what: `${first.name} ${first.refusal.one}`, names }
  return { what: `${runners.length} runners ${first.refusal.many}${detail(runners, names)}`, names }
}

function detail(runners: readonly RefusedRunner[], names: readonly string[]): string {
  const nearest = runners.reduce((best, runner) =>
    (runner.refusal.left ?? 0) > (best.refusal.left ?? 0) ? runner : best,
  )
  const { left, unit } = nearest.refusal
  if (left !== null) return ` (most left: ${left} ${unit ?? ''} on ${nearest.name})`
  return names.length <= namesShown ? ` (${names.join(', ')})` : ''
}
