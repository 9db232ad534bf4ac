import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

/** Users that give a volume to their machine, and take, empty and delete it, while the machine rests and goes. */
export function drawVolumes(random: SeededRandom, milliseconds: number): Subject[] {
  if (!chance(random, 0.5)) return []
  // The first project of a run stays.
  const project = 'amber'
  const at = random.integer(100, 1_200)
  const actions: Action[] = [{ at, do: 'create environment', project }]
  for (let count = random.integer(1, 3); count > 0; count -= 1) {
    actions.push({ at, do: 'attach volume' })
    if (chance(random, 0.6))
      actions.push({
        at: at + random.integer(100, milliseconds / 2),
        do: 'detach volume',
        force: chance(random, 0.3),
      })
    if (chance(random, 0.3)) actions.push({ at, do: 'clear volume' })
  }
  const later = at + random.integer(300, milliseconds)
  if (chance(random, 0.4))
    actions.push({ at: later, do: 'power', desiredPhase: random.pick(['stopped', 'suspended'] as const) })
  if (chance(random, 0.4)) actions.push({ at: later, do: 'delete environment' })
  if (chance(random, 0.2)) actions.push({ at: later, do: 'delete volume' })
  return [{ name: 'volume', actions }]
}
