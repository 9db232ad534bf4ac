import type { Failure, SnapshotOrder } from '@hearth/contract'
import type { Layer } from '../../host/layer.ts'
import { refusal } from '../fencing.ts'
import type { CommonStep } from '../work.ts'

/** Images and layers below a disk from which on its layer is flattened in the background. */
export const flattenFromDepth = 8

export type SnapshotPhase = 'creating' | 'copying' | 'present' | 'failed' | 'deleting' | 'deleted'

export type Wanted = Pick<
  SnapshotOrder,
  'id' | 'desiredPhase' | 'epoch' | 'generation' | 'runnerId' | 'source' | 'sealedForbidden' | 'flatten'
>

export interface Seen {
  layer: Pick<Layer, 'phase' | 'ownership' | 'facts'>
  record: SnapshotRecord
}

/** What this process knows beside what stands on the host: the next process finds it out again. */
export interface SnapshotRecord {
  failure: Failure | null
  /** Generation that failed; a newer generation tries again. */
  failedGeneration: number
  /** The grant of the copy that failed; another grant tries again. */
  failedGrant: string | null
  /** Whether the layer was searched for the values that it must not hold. */
  isSearched: boolean
  /** What still stands on a layer that should go; null as long as its removal was not tried. */
  keptBy: readonly string[] | null
  /** Why the layer could not be flattened, and for which `flatten` of the order; the next process tries again. */
  unflattened: { id: string | null; failure: Failure } | null
}

/** One step of the work on a layer; after it the host is looked at again. */
export type LayerStep =
  | { kind: 'freeze'; environmentId: string; memory: boolean }
  | { kind: 'copy' }
  /** Search the layer for values that it must not hold. */
  | { kind: 'search' }
  | { kind: 'flatten' }
  | { kind: 'remove' }
export type NextStep = LayerStep | CommonStep<SnapshotPhase>

/** A pure function: the same order and the same state of the host always give the same step. */
export function nextStep(wanted: Wanted, { layer, record }: Seen): NextStep {
  const { ownership, phase } = layer
  if ((phase !== 'absent' || ownership !== null) && ownership?.owner !== wanted.runnerId) {
    return { kind: 'rest', phase: 'failed', failure: foreign(wanted.id) }
  }
  const refused = refusal('the layer', wanted, ownership ?? { epoch: 0, generation: 0 })
  if (refused !== null) return refused
  if (wanted.desiredPhase === 'deleted') return towardsDeleted(layer, record)
  if (
    record.failure !== null &&
    wanted.generation <= record.failedGeneration &&
    grantOf(wanted) === record.failedGrant
  ) {
    // Neither a half layer nor one that holds what it must not hold stays.
    const isUseless = phase === 'partial' || (phase === 'present' && record.failure.code === 'secret_found')
    if (isUseless && record.keptBy === null) return { kind: 'remove' }
    return { kind: 'rest', phase: 'failed', failure: record.failure }
  }
  if (phase !== 'present') {
    const { source } = wanted
    if (source.kind === 'runner') return { kind: 'copy' }
    return { kind: 'freeze', environmentId: source.environmentId, memory: source.memory }
  }
  if (wanted.sealedForbidden !== null && !record.isSearched) return { kind: 'search' }
  if (isToBeFlattened(wanted, layer, record)) return { kind: 'flatten' }
  return { kind: 'rest', phase: 'present', failure: null }
}

function isToBeFlattened(
  { flatten }: Wanted,
  { facts }: Seen['layer'],
  { unflattened }: SnapshotRecord,
): boolean {
  if (flatten !== undefined && facts !== null && facts.parentId !== null) return unflattened?.id !== flatten
  return (facts?.depth ?? 0) >= flattenFromDepth && unflattened === null
}

/** The grant under which the order has the layer copied; null where it is frozen. */
export const grantOf = ({ source }: Pick<SnapshotOrder, 'source'>): string | null =>
  source.kind === 'runner' ? source.grant.id : null

function towardsDeleted({ phase, ownership }: Seen['layer'], { keptBy }: SnapshotRecord): NextStep {
  if (phase === 'absent' && ownership === null) return { kind: 'rest', phase: 'deleted', failure: null }
  if (keptBy === null || keptBy.length === 0) return { kind: 'remove' }
  return { kind: 'rest', phase: 'deleting', failure: null }
}

const foreign = (id: string): Failure => ({
  code: 'host_refused',
  message: `a layer ${id} is on the host and does not prove to be this runner’s: it is left alone`,
})
