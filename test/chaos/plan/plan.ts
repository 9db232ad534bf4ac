import { repeatableRandom, type SeededRandom } from '@hearth/testing'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'
import { machinesPerRunner } from './demand.ts'
import { drawFaults, drawLateFaults } from './draw-faults.ts'
import type { Fault } from './faults.ts'
import { drawPipelines } from './pipelines.ts'
import { drawPrebuilds } from './prebuilds.ts'
import { withRest } from './rest.ts'
import { drawRoutes } from './routes.ts'
import { drawSnapshots } from './snapshots.ts'
import { workMilliseconds } from './span.ts'
import { drawTasks } from './tasks.ts'
import { drawVolumes } from './volumes.ts'
import { drawWebApps } from './web-apps.ts'

/** The plan of a run, drawn from its seed: the same seed gives the same plan. */
export interface Plan {
  seed: number
  runners: number
  machinesPerRunner: number
  subjects: Subject[]
  faults: Fault[]
}

/** Memory of a machine of the class `small`. */
export const machineMebibytes = 2_048
const snapshotNumbers = 1_000_003
const prebuildNumbers = 2_000_003
const restNumbers = 3_000_003
const taskNumbers = 4_000_003
const routeNumbers = 5_000_003
const volumeNumbers = 6_000_011
const webAppNumbers = 7_000_003
const pipelineNumbers = 8_000_009

/** The minimum number of claims, and when the first may come, in milliseconds after the start of the work. */
export interface ClaimRush {
  least: number
  from: number
}

export function drawPlan(seed: number, rush: ClaimRush = { least: 1, from: 100 }): Plan {
  const random = repeatableRandom(seed)
  const runners = random.integer(2, 3)
  const drawn = withRest(repeatableRandom(seed + restNumbers), drawSubjects(random, runners, rush))
  const faults = drawFaults(random, runners)
  // From numbers of their own: what else a seed draws stays the same.
  const snapshots = drawSnapshots(repeatableRandom(seed + snapshotNumbers), runners, workMilliseconds)
  const ofPrebuilds = repeatableRandom(seed + prebuildNumbers)
  const prebuilds = drawPrebuilds(ofPrebuilds, workMilliseconds)
  if (prebuilds.length > 0) faults.push(...drawLateFaults(ofPrebuilds, runners))
  const ofTasks = repeatableRandom(seed + taskNumbers)
  const tasks = drawTasks(ofTasks, workMilliseconds)
  if (tasks.length > 0 && prebuilds.length === 0) faults.push(...drawLateFaults(ofTasks, runners))
  const routes = drawRoutes(repeatableRandom(seed + routeNumbers), workMilliseconds)
  const volumes = drawVolumes(repeatableRandom(seed + volumeNumbers), workMilliseconds)
  const webApps = drawWebApps(repeatableRandom(seed + webAppNumbers), workMilliseconds)
  const pipelines = drawPipelines(repeatableRandom(seed + pipelineNumbers), workMilliseconds)
  const others = [...snapshots, ...prebuilds, ...tasks, ...routes, ...volumes, ...webApps, ...pipelines]
  const subjects = [...drawn, ...others]
  return { seed, runners, machinesPerRunner: machinesPerRunner(subjects, runners), subjects, faults }
}

function drawSubjects(random: SeededRandom, runners: number, rush: ClaimRush): Subject[] {
  const projects = ['amber', 'birch'].slice(0, random.integer(1, 2))
  const subjects = projects.map((project) => drawProject(random, project))
  for (let index = random.integer(rush.least, rush.least + 3); index > 0; index--) {
    subjects.push({ name: `claim ${index}`, actions: drawClaim(random, random.pick(projects), rush) })
  }
  if (chance(random, 0.5)) {
    subjects.push({ name: 'environment', actions: drawEnvironment(random, random.pick(projects)) })
  }
  if (chance(random, 0.15)) subjects.push(drawDrain(random, runners))
  return subjects
}

function drawProject(random: SeededRandom, project: string): Subject {
  const changes = [...Array(random.integer(0, 2))].map((): Action => {
    const at = random.integer(300, workMilliseconds)
    if (chance(random, 0.5)) return { at, do: 'resize', project, min: random.integer(0, 4) }
    return { at, do: 'change set-up', project, fails: false }
  })
  const actions: Action[] = [
    {
      at: random.integer(0, 200),
      do: 'apply',
      project,
      min: random.integer(1, 4),
      secret: chance(random, 0.5),
      prebuilds: null,
    },
    ...changes.toSorted((a, b) => a.at - b.at),
  ]
  // The second project may go; the first stays, so that a run always ends with something.
  if (project === 'birch' && chance(random, 0.5)) {
    actions.push({ at: workMilliseconds, do: 'delete project', project, force: chance(random, 0.7) })
  }
  return { name: `project ${project}`, actions }
}

function drawClaim(random: SeededRandom, project: string, { from }: ClaimRush): Action[] {
  const at = from + random.integer(0, workMilliseconds + 1_000)
  const fallback = chance(random, 0.6) ? 'cold' : 'refuse'
  const again = chance(random, 0.5)
  // From a number that is drawn already: what else a seed draws stays the same.
  const binds = at % 3 === 0 ? {} : { binds: at % 3 === 1 ? ('bound' as const) : ('address' as const) }
  const claim: Action = { at, do: 'claim', project, fallback, again, ...binds }
  return chance(random, 0.5) ? [claim, { at: at + random.integer(0, 1_200), do: 'release' }] : [claim]
}

function drawEnvironment(random: SeededRandom, project: string): Action[] {
  const at = random.integer(100, 1_000)
  const later = () => at + random.integer(100, workMilliseconds)
  const actions: Action[] = [{ at, do: 'create environment', project }]
  if (chance(random, 0.5)) actions.push({ at: later(), do: 'power', desiredPhase: 'stopped' })
  if (chance(random, 0.5)) actions.push({ at: later(), do: 'power', desiredPhase: 'running' })
  if (chance(random, 0.5)) actions.push({ at: later(), do: 'retry' })
  if (chance(random, 0.4)) actions.push({ at: later(), do: 'delete environment' })
  return actions
}

function drawDrain(random: SeededRandom, runners: number): Subject {
  const runner = random.integer(0, runners - 1)
  const at = random.integer(200, workMilliseconds)
  return {
    name: 'drain',
    actions: [
      { at, do: 'drain', runner },
      { at: at + random.integer(200, 1_000), do: 'enable', runner },
    ],
  }
}
