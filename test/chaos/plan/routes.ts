import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

/** Users that give machines addresses, lead them elsewhere and take them away, while the machines rest and go. */
export function drawRoutes(random: SeededRandom, milliseconds: number): Subject[] {
  const subjects: Subject[] = []
  // The first project of a run stays.
  const project = 'amber'
  if (chance(random, 0.4)) {
    const at = random.integer(100, 1_500)
    const actions: Action[] = [
      { at, do: 'claim', project, fallback: 'cold', again: false },
      ...drawChanges(random, at, milliseconds),
    ]
    if (chance(random, 0.3)) actions.push({ at: at + random.integer(200, milliseconds), do: 'release' })
    subjects.push({ name: 'routes', actions })
  }
  if (chance(random, 0.3)) {
    const at = random.integer(100, 1_000)
    const actions: Action[] = [
      { at, do: 'create environment', project },
      ...drawChanges(random, at, milliseconds),
    ]
    const rests = at + random.integer(300, milliseconds)
    actions.push({ at: rests, do: 'power', desiredPhase: random.pick(['stopped', 'suspended'] as const) })
    if (chance(random, 0.3)) actions.push({ at: rests, do: 'delete environment' })
    subjects.push({ name: 'routes of an environment', actions })
  }
  return subjects
}

function drawChanges(random: SeededRandom, at: number, milliseconds: number): Action[] {
  const later = () => at + random.integer(0, milliseconds / 2)
  const actions: Action[] = []
  for (let count = random.integer(1, 2); count > 0; count -= 1) {
    actions.push({ at, do: 'expose', port: random.integer(3_000, 3_009) })
    if (chance(random, 0.4))
      actions.push({ at: later(), do: 'lead elsewhere', port: random.integer(8_000, 8_009) })
    if (chance(random, 0.4)) actions.push({ at: later(), do: 'conceal' })
  }
  return actions
}
