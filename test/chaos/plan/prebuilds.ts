import type { PrebuildPhase } from '@hearth/contract'
import type { SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'

const phases: readonly PrebuildPhase[] = ['pending', 'starting', 'running', 'stopping', 'snapshotting']

/**
 * Users that run prebuilds, cancel and delete them in any phase, and claim what starts from them: of a project whose pool
 * wants their memory, and of one whose set-up fails at first.
 */
export function drawPrebuilds(random: SeededRandom, milliseconds: number): Subject[] {
  if (!chance(random, 0.6)) return []
  const project = 'cedar'
  const maker: Action[] = [
    {
      at: random.integer(0, 100),
      do: 'apply',
      project,
      min: random.integer(0, 3),
      secret: chance(random, 0.7),
      prebuilds: { keep: random.integer(1, 3), fails: false },
    },
  ]
  if (chance(random, 0.6))
    maker.push({
      at: random.integer(milliseconds, 2 * milliseconds),
      do: 'resize',
      project,
      min: random.integer(0, 2),
    })
  if (chance(random, 0.2)) maker.push({ at: 2 * milliseconds, do: 'change set-up', project, fails: false })
  if (chance(random, 0.15))
    maker.push({ at: 3 * milliseconds, do: 'delete project', project, force: chance(random, 0.8) })
  const subjects: Subject[] = [
    { name: `project ${project}`, actions: maker },
    { name: 'prebuilds', actions: drawRuns(random, project, random.integer(1, 3)) },
  ]
  // At the same time, so that one waits for its turn.
  if (chance(random, 0.4)) subjects.push({ name: 'more prebuilds', actions: drawRuns(random, project, 1) })
  if (chance(random, 0.4)) subjects.push({ name: 'failing prebuilds', actions: drawFailing(random) })
  return subjects
}

function drawRuns(random: SeededRandom, project: string, count: number): Action[] {
  const at = random.integer(0, 600)
  return [...Array(count)].flatMap((): Action[] => {
    const run: Action = { at, do: 'run prebuild', project, incremental: chance(random, 0.6) }
    if (chance(random, 0.25)) return [run, { at, do: 'cancel prebuild', in: random.pick(phases) }]
    if (chance(random, 0.2)) return [run, drawDeletion(random, at, phases)]
    const actions: Action[] = [run, { at, do: 'await prebuild', memory: chance(random, 0.6) }]
    // The first have members that are ready, the others machines that start from it.
    for (let claims = random.integer(0, 3); claims > 0; claims -= 1)
      actions.push({ at, do: 'claim', project, fallback: 'cold', again: chance(random, 0.2) })
    if (chance(random, 0.3)) actions.push({ at: at + random.integer(0, 1_500), do: 'release' })
    // While machines start from it, and its templates are made.
    if (chance(random, 0.3)) actions.push(drawDeletion(random, at, ['completed']))
    return actions
  })
}

function drawFailing(random: SeededRandom): Action[] {
  const project = 'dogwood'
  const at = random.integer(0, 400)
  const actions: Action[] = [
    { at, do: 'apply', project, min: 0, secret: chance(random, 0.7), prebuilds: { keep: 2, fails: true } },
    { at, do: 'run prebuild', project, incremental: true },
    chance(random, 0.3)
      ? { at, do: 'cancel prebuild', in: random.pick(phases) }
      : { at, do: 'await prebuild', memory: false },
  ]
  if (chance(random, 0.3)) actions.push(drawDeletion(random, at, ['failed']))
  if (chance(random, 0.6))
    actions.push(
      { at, do: 'change set-up', project, fails: false },
      { at, do: 'run prebuild', project, incremental: true },
      { at, do: 'await prebuild', memory: false },
      { at, do: 'claim', project, fallback: 'cold', again: false },
    )
  if (chance(random, 0.3)) actions.push({ at, do: 'delete project', project, force: true })
  return actions
}

function drawDeletion(random: SeededRandom, at: number, of: readonly PrebuildPhase[]): Action {
  return { at, do: 'delete prebuild', in: random.pick(of), force: chance(random, 0.3) }
}
