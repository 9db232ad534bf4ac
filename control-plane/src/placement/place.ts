import type {
  EnvironmentClassSpec,
  RunnerFacts,
  RunnerPhase,
  RunnerSpec,
  SnapshotPhase,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { describeRefusals, groupRefusals, type Refusal, type RefusalGroup } from './refusals.ts'

/** A runner as placement sees it: its capacity and what is reserved of it. */
export interface Candidate {
  id: string
  name: string
  labels: Readonly<Record<string, string>>
  phase: RunnerPhase
  spec: RunnerSpec
  facts: RunnerFacts | null
  /** The kinds of work that its agent knows; null before it has said. */
  workKinds: readonly string[] | null
  /** Sums over its environments that are not deleted, and their volumes; of those at rest only their disks. */
  reserved: { virtualCpus: number; memoryMebibytes: number; diskMebibytes: number }
  /** Environments that boot on it now. */
  booting: number
  /** Environments failed on it recently: other runners are preferred. */
  suspected: boolean
  /** It is degraded, and one environment may be tried on it as a probe. */
  probeDue: boolean
}

/**
 * What is to be placed. `awaited`: someone waits for it, so it is not used to probe a degraded runner while another
 * fits.
 */
export interface Wanted extends EnvironmentClassSpec {
  awaited: boolean
  /** The snapshot that it starts from; null for its image. */
  source: WantedSource | null
  /** The only runner that will do; null for any. */
  runnerId: string | null
  /** Null for nothing beside its size. */
  needs: MachineNeeds | null
}

/** What a machine is made for, which is not there until it runs. */
export interface MachineNeeds {
  /** Kinds of work that the agent of its host has to know. */
  work: readonly NeededWork[]
  /** The room on its host for a volume that is made with it; 0 for none. */
  volumeMebibytes: number
  /** Whether that agent has to bring files into the machine; absent for not. */
  bringsInputs?: boolean
}

const workNouns = { process: 'tasks and services', snapshot: 'snapshots', volume: 'volumes' } as const
export type NeededWork = keyof typeof workNouns

export interface WantedSource {
  /** With its noun, as in `snapshot before-the-upgrade`. */
  name: string
  phase: SnapshotPhase
  /** The runners that hold it. */
  runnerIds: readonly string[]
  /** Those on which a machine of it waits in memory. */
  memoryRunnerIds: readonly string[]
  /** Whether it starts from nothing else: it waits for a runner that holds the snapshot. */
  isRequired: boolean
  /** What becomes of copies for other runners; null where there is nothing to say. */
  copies: string | null
}

/** From what it starts on a runner, the quickest last. */
export type StartFrom = 'image' | 'disk' | 'memory'

export type Placement =
  | { runnerId: string; reason: string; from: StartFrom }
  | { runnerId: null; reason: string; refusals: RefusalGroup[] }

/** Overcommit factor for CPUs, since guests rarely use all of them at once. Memory and disk are never overcommitted. */
export const virtualCpuOvercommit = 4

/**
 * Chooses a runner: one where environments failed recently only if no other fits, then one that holds what it starts
 * quickest from, then one with a free boot slot, then the fullest, so that capacity for large environments stays in one piece. A degraded
 * runner whose pause is over gets one environment that nobody waits for, as a probe. The reason says which runner and why, or why none.
 */
export function place(wanted: Wanted, candidates: readonly Candidate[]): Placement {
  const { source } = wanted
  if (source?.isRequired === true && source.phase !== 'ready') {
    const reason = `it starts from ${source.name}, which is ${source.phase}`
    return { runnerId: null, reason, refusals: [] }
  }
  const judged = candidates.map((candidate) => ({ candidate, refusal: refusalOf(wanted, candidate) }))
  const fitting = judged.filter(({ refusal }) => refusal === null).map(({ candidate }) => candidate)
  const trial = fitting.find(({ phase }) => phase === 'degraded')
  const sound = fitting.filter(({ phase }) => phase !== 'degraded')
  const best = sound.sort(
    (a, b) =>
      Number(a.suspected) - Number(b.suspected) ||
      swiftness[startOn(b, source)] - swiftness[startOn(a, source)] ||
      Number(isBusy(a)) - Number(isBusy(b)) ||
      free(a) - free(b) ||
      (a.id < b.id ? -1 : 1),
  )[0]
  if (trial !== undefined && (best === undefined || !wanted.awaited)) {
    const reason = `on ${trial.name}: to try whether it is well again`
    return { runnerId: trial.id, reason, from: startOn(trial, source) }
  }
  if (best !== undefined) {
    const from = startOn(best, source)
    const alike = sound.filter((candidate) => startOn(candidate, source) === from)
    const idle = alike.filter((candidate) => !isBusy(candidate))
    const those =
      idle.length === 0 || idle.length === alike.length
        ? `${alike.length} with room`
        : `${idle.length} with room and a free boot slot`
    return {
      runnerId: best.id,
      reason: `on ${best.name}: ${becauseOf(from, source)}the fullest of ${those}`,
      from,
    }
  }
  if (judged.length === 0) {
    const reason = 'no runner has joined: start one with `hearth runner join`'
    return { runnerId: null, reason, refusals: [] }
  }
  const refused = judged.flatMap(({ candidate, refusal }) =>
    refusal === null ? [] : [{ name: candidate.name, refusal }],
  )
  const refusals = groupRefusals(refused)
  const copies = source?.copies == null ? '' : `; ${source.copies}`
  return { runnerId: null, reason: `${describeRefusals(refusals)}${copies}`, refusals }
}

const swiftness: Readonly<Record<StartFrom, number>> = { image: 0, disk: 1, memory: 2 }

function startOn({ id }: Candidate, source: WantedSource | null): StartFrom {
  if (source === null || source.phase !== 'ready') return 'image'
  if (source.memoryRunnerIds.includes(id)) return 'memory'
  return source.runnerIds.includes(id) ? 'disk' : 'image'
}

function becauseOf(from: StartFrom, source: WantedSource | null): string {
  if (source === null) return ''
  switch (from) {
    case 'memory':
      return `it holds ${source.name} with its memory, and is `
    case 'disk':
      return `it holds ${source.name}, and is `
    case 'image':
      return `none with room holds ${source.name}, and it is `
    default:
      return assertNever(from)
  }
}

function refusalOf(wanted: Wanted, candidate: Candidate): Refusal | null {
  const { facts, spec } = candidate
  if (wanted.runnerId !== null && wanted.runnerId !== candidate.id)
    return plain('another', 'is not the runner that was asked for', 'are not the runner that was asked for')
  const away = absenceOf(candidate)
  if (away !== null || facts === null)
    return away ?? plain('facts', 'has reported no facts yet', 'have reported no facts yet')
  if (spec.scheduling !== 'enabled')
    return plain(spec.scheduling, `is ${spec.scheduling}`, `are ${spec.scheduling}`)
  if (wanted.region !== null && wanted.region !== spec.region) {
    const one = `is in region ${spec.region}, not ${wanted.region}`
    return plain('region', one, `are not in region ${wanted.region}`)
  }
  const missing = Object.entries(wanted.runnerSelector).find(
    ([key, value]) => candidate.labels[key] !== value,
  )
  if (missing !== undefined) return lack(`the label ${missing[0]}=${missing[1]}`)
  if (!facts.images.includes(wanted.image)) return lack(`the image ${wanted.image}`)
  const unable = inabilityOf(wanted.needs, candidate)
  if (unable !== null) return unable
  if (wanted.source?.isRequired === true && !wanted.source.runnerIds.includes(candidate.id))
    return lack(wanted.source.name)
  return lackToRun(wanted, candidate) ?? lackOfDisk(diskLeft(candidate), diskFor(wanted))
}

const mebibytesPerGibibyte = 1_024

/** The disk that a machine takes of its host, with the volume that is made with it, in MiB. */
export const diskFor = ({ diskGibibytes, needs }: Pick<Wanted, 'diskGibibytes' | 'needs'>): number =>
  diskGibibytes * mebibytesPerGibibyte + (needs?.volumeMebibytes ?? 0)

/** The disk that is left on a runner, in MiB; below 0 where more is reserved than there is. */
export const diskLeft = ({ facts, reserved }: Pick<Candidate, 'facts' | 'reserved'>): number =>
  (facts?.diskGibibytes ?? 0) * mebibytesPerGibibyte - reserved.diskMebibytes

/** Both in MiB. Only the words are rounded, so that what is left stays below what is wanted. */
function lackOfDisk(left: number, wanted: number): Refusal | null {
  if (left >= wanted) return null
  return shortOf(
    'disk',
    'GiB',
    Math.floor(left / mebibytesPerGibibyte),
    Math.ceil(wanted / mebibytesPerGibibyte),
  )
}

/** What the agent of a runner cannot do of what is needed; null for nothing. */
function inabilityOf(needs: MachineNeeds | null, { workKinds, facts }: Candidate): Refusal | null {
  if (needs === null) return null
  if (workKinds === null && needs.work.length > 0)
    return plain(
      'work',
      'has not said yet what its agent can do',
      'have not said yet what their agents can do',
    )
  const missing = needs.work.find((kind) => workKinds?.includes(kind) !== true)
  if (missing !== undefined) {
    const noun = workNouns[missing]
    return plain(
      `work ${missing}`,
      `has an agent without ${noun}: update it`,
      `have agents without ${noun}: update them`,
    )
  }
  if (needs.bringsInputs !== true || facts?.bringsInputs === true) return null
  return plain(
    'inputs',
    'has an agent that brings no files into machines: update it',
    'have agents that bring no files into machines: update them',
  )
}

/** What a runner has too little of to run one more of this size; null when it runs, or nothing is known of the runner yet. */
export function lackToRun(
  wanted: Pick<Wanted, 'virtualCpus' | 'memoryMebibytes'>,
  { facts, reserved }: Pick<Candidate, 'facts' | 'reserved'>,
): Refusal | null {
  if (facts === null) return null
  const cpus = facts.virtualCpus * virtualCpuOvercommit - reserved.virtualCpus
  return (
    shortOf('virtual CPUs', '', cpus, wanted.virtualCpus) ??
    shortOf('memory', 'MiB', facts.memoryMebibytes - reserved.memoryMebibytes, wanted.memoryMebibytes)
  )
}

/** Why no environment is placed on this runner, whatever its size. */
function absenceOf({ phase, probeDue }: Candidate): Refusal | null {
  switch (phase) {
    case 'active':
      return null
    case 'degraded': {
      const because = 'degraded: environments keep failing there'
      return probeDue ? null : plain(phase, `is ${because}`, `are ${because}`)
    }
    case 'created':
      return plain(phase, 'has not been heard of yet', 'have not been heard of yet')
    case 'draining':
    case 'offline':
    case 'deleted':
      return plain(phase, `is ${phase}`, `are ${phase}`)
    default:
      return assertNever(phase)
  }
}

const plain = (key: string, one: string, many: string): Refusal => ({ key, one, many, left: null })
const lack = (what: string) => plain(what, `lacks ${what}`, `lack ${what}`)

function shortOf(what: string, unit: string, left: number, wanted: number): Refusal | null {
  if (left >= wanted) return null
  const most = Math.max(0, left)
  const amount = unit === '' ? what : `${unit} of ${what}`
  return {
    key: what,
    one: `has ${most} ${amount} left of ${wanted} wanted`,
    many: `have less than the ${wanted} ${amount} wanted`,
    left: most,
    unit: unit === '' ? what : unit,
  }
}

/** A further boot would wait for another to end. */
function isBusy({ facts, booting }: Candidate): boolean {
  return facts?.bootSlots !== undefined && booting >= facts.bootSlots
}

function free({ facts, reserved }: Candidate): number {
  return (facts?.memoryMebibytes ?? 0) - reserved.memoryMebibytes
}
