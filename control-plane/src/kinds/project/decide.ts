import { type Failure, projectDeletingSeconds } from '@hearth/contract'

/** What is left of a project that is being deleted. */
export interface SeenProject {
  deleting: boolean
  pools: readonly string[]
  machines: readonly { name: string; phase: string; runner: string | null }[]
  /** When it says what keeps it; null before the wait began. */
  deadline: Date | null
  now: Date
}

export type ProjectAction =
  | { do: 'remove' }
  | { do: 'wait'; until: Date }
  | { do: 'record-delay'; failure: Failure; until: Date } // the deadline has passed: record what it waits for, and go on waiting

const namesShown = 5

/**
 * The next action for a project that is being deleted: it waits for its pools and environments, and records what it
 * waits for when that takes long.
 */
export function decide(seen: SeenProject): ProjectAction | null {
  if (!seen.deleting) return null
  if (seen.pools.length === 0 && seen.machines.length === 0) return { do: 'remove' }
  const next = new Date(seen.now.getTime() + projectDeletingSeconds * 1000)
  if (seen.deadline === null) return { do: 'wait', until: next }
  if (seen.now < seen.deadline) return { do: 'wait', until: seen.deadline }
  return { do: 'record-delay', failure: { code: 'deadline_passed', message: describe(seen) }, until: next }
}

function describe({ pools, machines }: SeenProject): string {
  const shown = machines
    .slice(0, namesShown)
    .map(({ name, phase, runner }) => `${name} (${phase}${runner === null ? '' : ` on ${runner}`})`)
  const more = machines.length > namesShown ? ` and ${machines.length - namesShown} more` : ''
  const parts = [
    ...(pools.length === 0 ? [] : [`the pools ${pools.join(', ')}`]),
    ...(machines.length === 0 ? [] : [`the environments ${shown.join(', ')}${more}`]),
  ]
  return `it still waits for ${parts.join(' and ')} to go: \`hearth why\` on one says what keeps it`
}
