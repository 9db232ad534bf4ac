import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

/** Users that make snapshots of a machine, copy, use and delete them; and one that forks its claim and puts it back. */
export function drawSnapshots(random: SeededRandom, runners: number, milliseconds: number): Subject[] {
  const subjects: Subject[] = []
  // The first project of a run stays.
  const project = 'amber'
  if (chance(random, 0.6)) {
    const at = random.integer(100, 800)
    const actions: Action[] = [{ at, do: 'create environment', project }]
    for (let count = random.integer(1, 4); count > 0; count--) {
      actions.push({ at, do: 'snapshot', memory: chance(random, 0.5) })
      if (chance(random, 0.5)) actions.push({ at, do: 'copy', runner: random.integer(0, runners - 1) })
      if (chance(random, 0.3))
        actions.push({ at, do: 'start from snapshot', project, memory: chance(random, 0.5) })
      if (chance(random, 0.4)) actions.push({ at, do: 'delete snapshot', force: chance(random, 0.7) })
    }
    if (chance(random, 0.3))
      actions.push({ at: at + random.integer(200, milliseconds), do: 'delete environment' })
    subjects.push({ name: 'snapshots', actions })
  }
  if (chance(random, 0.5)) {
    const at = random.integer(200, 1_000)
    const actions: Action[] = [{ at, do: 'claim', project, fallback: 'cold', again: false }]
    if (chance(random, 0.7)) actions.push({ at, do: 'checkpoint' })
    if (chance(random, 0.5)) actions.push({ at, do: 'restore' })
    if (chance(random, 0.6))
      actions.push({ at, do: 'fork', count: random.integer(1, 2), cold: chance(random, 0.3) })
    if (chance(random, 0.4)) actions.push({ at: at + random.integer(200, milliseconds), do: 'release' })
    subjects.push({ name: 'forks', actions })
  }
  return subjects
}
