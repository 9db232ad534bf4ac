import type { PipelineRuntime } from '@hearth/contract'
import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

const words = ['bootstrapping', 'replaying', 'paused', 'running'] as const

/** Users that start a pipeline, whose program tells one status after the other, stop it well and badly, and clear it. */
export function drawPipelines(random: SeededRandom, milliseconds: number): Subject[] {
  if (!chance(random, 0.4)) return []
  const at = random.integer(100, 1_000)
  const actions: Action[] = [
    { at, do: 'make pipeline', told: drawTold(random) },
    { at, do: 'start pipeline' },
  ]
  if (chance(random, 0.7)) actions.push({ at, do: 'await pipeline' })
  const later = at + random.integer(300, milliseconds)
  if (chance(random, 0.6)) {
    actions.push({ at: later, do: 'stop pipeline', force: chance(random, 0.4) })
    if (chance(random, 0.5)) actions.push({ at: later, do: 'start pipeline' })
    else if (chance(random, 0.6)) actions.push({ at: later + 500, do: 'clear pipeline' })
    if (chance(random, 0.4)) actions.push({ at: later + 1_000, do: 'delete pipeline' })
  }
  return [{ name: 'pipeline', actions }]
}

/** None is the one before, and the last is that it runs. */
function drawTold(random: SeededRandom): PipelineRuntime[] {
  const told: PipelineRuntime[] = []
  for (let count = random.integer(2, 10); count > 0; count -= 1) {
    const word = random.pick(words)
    if (word !== told.at(-1)) told.push(word)
  }
  return told.at(-1) === 'running' ? told : [...told, 'running']
}
