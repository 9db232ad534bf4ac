import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

/** Users that run tasks and a service in the machine of a claim, and in one that is stopped or suspended under them. */
export function drawTasks(random: SeededRandom, milliseconds: number): Subject[] {
  const subjects: Subject[] = []
  // The first project of a run stays.
  const project = 'amber'
  if (chance(random, 0.6)) {
    const at = random.integer(100, 1_500)
    const actions: Action[] = [{ at, do: 'claim', project, fallback: 'cold', again: false }]
    const isPutBack = chance(random, 0.2)
    if (isPutBack) actions.push({ at, do: 'checkpoint' })
    actions.push(...drawRuns(random, at))
    if (isPutBack) actions.push({ at, do: 'restore' })
    if (chance(random, 0.3)) actions.push({ at: at + random.integer(200, milliseconds), do: 'release' })
    subjects.push({ name: 'tasks', actions })
  }
  if (chance(random, 0.4)) {
    const at = random.integer(100, 1_000)
    const actions: Action[] = [{ at, do: 'create environment', project }, ...drawRuns(random, at)]
    const desiredPhase = random.pick(['stopped', 'suspended'] as const)
    const rests = at + random.integer(500, milliseconds)
    actions.push({ at: rests, do: 'power', desiredPhase })
    if (chance(random, 0.5)) actions.push(...drawRuns(random, rests))
    if (chance(random, 0.7))
      actions.push({ at: rests + random.integer(0, 1_500), do: 'power', desiredPhase: 'running' })
    if (chance(random, 0.2)) actions.push({ at: rests, do: 'delete environment' })
    subjects.push({ name: 'tasks of an environment', actions })
  }
  return subjects
}

function drawRuns(random: SeededRandom, at: number): Action[] {
  const actions: Action[] = []
  for (let count = random.integer(1, 3); count > 0; count -= 1) {
    actions.push({ at, do: 'run task', fails: chance(random, 0.3), seconds: random.pick([0.3, 0.3, 2]) })
    if (chance(random, 0.4)) actions.push({ at, do: 'await task' }, { at, do: 'start task' })
    else if (chance(random, 0.3)) actions.push({ at, do: 'start task' })
    if (chance(random, 0.3)) {
      actions.push({ at: at + random.integer(0, 1_000), do: 'stop task' })
      if (chance(random, 0.3)) actions.push({ at, do: 'start task' })
    }
  }
  if (chance(random, 0.6)) {
    actions.push({ at, do: 'run service', crashes: chance(random, 0.4) })
    if (chance(random, 0.4)) actions.push({ at: at + random.integer(0, 1_500), do: 'stop service' })
    if (chance(random, 0.3)) actions.push({ at, do: 'start service' })
  }
  return actions
}
