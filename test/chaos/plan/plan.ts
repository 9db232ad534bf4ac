import { repeatableRandom, type SeededRandom } from '@hearth/testing'
import type { Kill } from '../children/messages.ts'
import type { Action, Subject } from './actions.ts'
import { chance } from './chance.ts'
import type { Fault, FaultKind } from './faults.ts'
import { drawSnapshots } from './snapshots.ts'

/** The plan of a run, drawn from its seed: the same seed gives the same plan. */
export interface Plan {
  seed: number
  runners: number
  subjects: Subject[]
  faults: Fault[]
}

/** Machines of the class `small` that fit on one runner: when one runner is away, not everything fits. */
export const machinesPerRunner = 9
const workMilliseconds = 2_500
const snapshotNumbers = 1_000_003

/** The minimum number of claims, and when the first may come, in milliseconds after the start of the work. */
export interface ClaimRush {
  least: number
  from: number
}

export function drawPlan(seed: number, rush: ClaimRush = { least: 1, from: 100 }): Plan {
  const random = repeatableRandom(seed)
  const runners = random.integer(2, 3)
  const subjects = drawSubjects(random, runners, rush)
  const faults = drawFaults(random, runners)
  // From numbers of their own: what else a seed draws stays the same.
  const snapshots = drawSnapshots(repeatableRandom(seed + snapshotNumbers), runners, workMilliseconds)
  return { seed, runners, subjects: [...subjects, ...snapshots], faults }
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
    return { at, do: 'change set-up', project }
  })
  const actions: Action[] = [
    {
      at: random.integer(0, 200),
      do: 'apply',
      project,
      min: random.integer(1, 4),
      secret: chance(random, 0.5),
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
  const claim: Action = { at, do: 'claim', project, fallback, again: chance(random, 0.5) }
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

/** Relative frequency of each fault; kills at writes and at steps find the most. */
const weights: Readonly<Record<FaultKind, number>> = {
  'control plane killed at a write': 8,
  'control plane killed': 2,
  'control plane paused': 2,
  'control plane cut from NATS': 2,
  'second control plane': 3,
  'agent killed at a step': 8,
  'agent killed': 2,
  'agent paused': 2,
  'second agent of one identity': 3,
  'steps taken twice': 3,
  'host partitioned': 4,
  'disk full': 2,
  'NATS killed': 3,
  'NATS restarted empty': 3,
  'NATS restarted older': 3,
  'messages repeated and reordered': 4,
  'messages delayed': 3,
  'PostgreSQL connections cut': 4,
  'PostgreSQL restarted': 2,
  'clock of the control plane jumped': 2,
  'clock of an agent jumped': 2,
}
export const faultKinds = Object.keys(weights) as FaultKind[]

function drawFaults(random: SeededRandom, runners: number): Fault[] {
  const bag = faultKinds.flatMap((kind) => Array<FaultKind>(weights[kind]).fill(kind))
  const kinds = new Set<FaultKind>()
  for (let count = random.integer(1, 4); count > 0; count--) kinds.add(random.pick(bag))
  return [...kinds].map((kind) => drawFault(random, kind, runners))
}

/** Milliseconds within which every agent checks for paused machines, including those that start meanwhile. */
const shortestFullDisk = 3_000

function drawFault(random: SeededRandom, kind: FaultKind, runners: number): Fault {
  const at = random.integer(0, workMilliseconds)
  const lasts = random.integer(100, 3_000)
  const runner = random.integer(0, runners - 1)
  const jump = random.pick([-3_600_000, -20_000, -2_000, 2_000, 20_000, 1_000_000, 3_600_000])
  switch (kind) {
    case 'control plane killed at a write':
      return { kind, at, kills: drawKills(random, 400) }
    case 'agent killed at a step':
      return { kind, at, runner, kills: drawKills(random, 60) }
    case 'control plane killed':
    case 'PostgreSQL restarted':
      return { kind, at }
    case 'control plane paused':
    case 'control plane cut from NATS':
    case 'NATS killed':
    case 'NATS restarted empty':
    case 'NATS restarted older':
      return { kind, at, lasts }
    case 'second control plane':
      return { kind }
    case 'agent killed':
    case 'second agent of one identity':
      return { kind, at, runner }
    case 'agent paused':
      return { kind, at, lasts, runner }
    case 'disk full':
      return { kind, at, lasts: lasts + shortestFullDisk, runner }
    case 'steps taken twice':
      return { kind, runner }
    case 'host partitioned':
      return { kind, at, lasts: random.integer(200, 4_500), runner, reset: chance(random, 0.5) }
    case 'messages repeated and reordered':
      return { kind, share: random.integer(1, 10) / 10 }
    case 'messages delayed':
      return { kind, at, lasts, milliseconds: random.integer(5, 400) }
    case 'PostgreSQL connections cut':
      return { kind, at, times: random.integer(1, 5) }
    case 'clock of the control plane jumped':
      return { kind, at, lasts, milliseconds: jump }
    case 'clock of an agent jumped':
      return { kind, at, lasts, runner, milliseconds: jump }
  }
}

/**
 * Each process dies at a write of its own; later processes after fewer writes, since they usually have less left to
 * do.
 */
function drawKills(random: SeededRandom, most: number): Kill[] {
  return [...Array(random.integer(1, 3))].map(() => ({
    // Early writes are as likely as all later ones together: a start is short and full of writes.
    at: chance(random, 0.5) ? random.integer(1, Math.ceil(most / 10)) : random.integer(1, most),
    moment: random.pick(['before', 'during', 'after'] as const),
  }))
}
