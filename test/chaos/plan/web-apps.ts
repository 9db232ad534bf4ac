import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

/** Users that deploy apps to a machine, well and badly, promote them and take them away, while the machine rests and goes. */
export function drawWebApps(random: SeededRandom, milliseconds: number): Subject[] {
  if (!chance(random, 0.35)) return []
  // The first project of a run stays.
  const project = 'amber'
  const at = random.integer(100, 1_000)
  const actions: Action[] = [
    { at, do: 'create environment', project },
    { at, do: 'make web app' },
  ]
  for (let count = random.integer(1, 3); count > 0; count -= 1) {
    const fails = chance(random, 0.3) ? random.pick(['release', 'process'] as const) : null
    actions.push({ at, do: 'deploy', fails })
    if (chance(random, 0.5)) actions.push({ at, do: 'await deployment' })
    if (chance(random, 0.3)) actions.push({ at, do: 'promote' })
  }
  const later = at + random.integer(300, milliseconds)
  if (chance(random, 0.3)) actions.push({ at: later, do: 'power', desiredPhase: 'stopped' })
  if (chance(random, 0.3)) actions.push({ at: later, do: 'delete environment' })
  else if (chance(random, 0.2)) actions.push({ at: later, do: 'delete web app' })
  return [{ name: 'web app', actions }]
}
