import type { SeededRandom } from '@hearth/testing'
import type { Kill } from '../children/messages.ts'
import { chance } from './chance.ts'
import type { Fault, FaultKind } from './faults.ts'
import { workMilliseconds } from './span.ts'

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

export function drawFaults(random: SeededRandom, runners: number): Fault[] {
  const bag = faultKinds.flatMap((kind) => Array<FaultKind>(weights[kind]).fill(kind))
  const kinds = new Set<FaultKind>()
  for (let count = random.integer(1, 4); count > 0; count--) kinds.add(random.pick(bag))
  return [...kinds].map((kind) => drawFault(random, kind, runners))
}

/** Those that do more when they come late: while prebuilds are made, machines start from them, and tasks run. */
const lateKinds = [
  'control plane killed at a write',
  'control plane killed',
  'control plane paused',
  'agent killed at a step',
  'agent killed',
  'agent paused',
  'host partitioned',
  'NATS killed',
  'NATS restarted empty',
  'NATS restarted older',
  'messages delayed',
  'PostgreSQL connections cut',
  'PostgreSQL restarted',
] as const

/** None, one or two faults that begin when most of the others are over. */
export function drawLateFaults(random: SeededRandom, runners: number): Fault[] {
  const kinds = random.shuffle(lateKinds).slice(0, random.integer(0, 2))
  return kinds.map((kind) => {
    const fault = drawFault(random, kind, runners)
    return 'at' in fault ? { ...fault, at: fault.at + workMilliseconds } : fault
  })
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
