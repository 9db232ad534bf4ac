import type { EnvironmentClassSpec, RunnerFacts, RunnerPhase, RunnerSpec } from '@hearth/contract'

/** A runner as placement sees it: what it has, and what is promised away already. */
export interface Candidate {
  id: string
  name: string
  labels: Readonly<Record<string, string>>
  phase: RunnerPhase
  spec: RunnerSpec
  facts: RunnerFacts | null
  /** Sums over its environments that are not deleted. */
  reserved: { virtualCpus: number; memoryMebibytes: number; diskGibibytes: number }
}

export type Placement = { runnerId: string; reason: string } | { runnerId: null; reason: string }

/** Guests rarely use their CPUs at once, so these may be promised several times over. Memory and disk may not. */
export const virtualCpuOvercommit = 4

/**
 * Chooses a runner for a class: the fullest one that still fits, so that room for large machines stays in one piece.
 * The reason says which runner and why, or for each runner why not.
 */
export function place(wanted: EnvironmentClassSpec, candidates: readonly Candidate[]): Placement {
  const judged = candidates.map((candidate) => ({ candidate, refusal: refusalOf(wanted, candidate) }))
  const fitting = judged.filter(({ refusal }) => refusal === null).map(({ candidate }) => candidate)
  const best = fitting.sort((a, b) => free(a) - free(b) || (a.id < b.id ? -1 : 1))[0]
  if (best !== undefined) {
    return { runnerId: best.id, reason: `on ${best.name}: the fullest of ${fitting.length} with room` }
  }
  if (judged.length === 0)
    return { runnerId: null, reason: 'no runner has joined: start one with `hearth runner join`' }
  return {
    runnerId: null,
    reason: judged.map(({ candidate, refusal }) => `${candidate.name}: ${refusal}`).join('; '),
  }
}

function refusalOf(wanted: EnvironmentClassSpec, candidate: Candidate): string | null {
  const { facts, reserved, spec } = candidate
  if (candidate.phase !== 'active' || facts === null) return `is ${candidate.phase}`
  if (spec.scheduling !== 'enabled') return `is ${spec.scheduling}`
  if (wanted.region !== null && wanted.region !== spec.region)
    return `is in region ${spec.region}, not ${wanted.region}`
  const missing = Object.entries(wanted.runnerSelector).find(
    ([key, value]) => candidate.labels[key] !== value,
  )
  if (missing !== undefined) return `lacks the label ${missing[0]}=${missing[1]}`
  if (!facts.images.includes(wanted.image)) return `lacks the image ${wanted.image}`
  const cpus = facts.virtualCpus * virtualCpuOvercommit - reserved.virtualCpus
  if (cpus < wanted.virtualCpus)
    return `has ${Math.max(0, cpus)} virtual CPUs left of ${wanted.virtualCpus} wanted`
  const memory = facts.memoryMebibytes - reserved.memoryMebibytes
  if (memory < wanted.memoryMebibytes)
    return `has ${Math.max(0, memory)} MiB of memory left of ${wanted.memoryMebibytes} wanted`
  const disk = facts.diskGibibytes - reserved.diskGibibytes
  if (disk < wanted.diskGibibytes)
    return `has ${Math.max(0, disk)} GiB of disk left of ${wanted.diskGibibytes} wanted`
  return null
}

function free({ facts, reserved }: Candidate): number {
  return (facts?.memoryMebibytes ?? 0) - reserved.memoryMebibytes
}
