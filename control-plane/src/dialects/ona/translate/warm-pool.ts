import type { MessageInitShape } from '@bufbuild/protobuf'
import type { WarmPool } from '@hearth/contract'
import { WarmPoolPhase, type WarmPoolSchema } from '../generated/gitpod/v1/prebuild_pb.ts'
import { warmPoolPhase } from './phases.ts'
import { timestampOf } from './values.ts'

/** `snapshotId` is that of the newest complete prebuild. A pool of Hearth is of no one runner. */
export function toOnaWarmPool(
  pool: WarmPool,
  snapshotId: string | undefined,
): MessageInitShape<typeof WarmPoolSchema> {
  const { metadata, spec, specVersion, status, statusVersion } = pool
  return {
    id: metadata.id,
    metadata: {
      organizationId: metadata.organizationId,
      projectId: spec.projectId,
      environmentClassId: spec.environmentClassId,
      createdAt: timestampOf(metadata.createdAt),
      updatedAt: timestampOf(metadata.updatedAt),
    },
    spec: {
      specVersion: BigInt(specVersion),
      desiredSize: spec.max ?? spec.min,
      ...(snapshotId === undefined ? {} : { snapshotId }),
      desiredPhase: status.phase === 'deleting' ? WarmPoolPhase.DELETED : WarmPoolPhase.READY,
      minSize: spec.min,
      maxSize: spec.max ?? spec.min,
    },
    status: {
      phase: warmPoolPhase(pool),
      failureMessage: troubleOf(pool),
      statusVersion: BigInt(statusVersion),
      runningInstances: status.ready,
      stoppedInstances: status.suspended + status.stopped,
      desiredSize: status.desiredSize,
    },
  }
}

function troubleOf({ status: { failure, lack, quota } }: WarmPool): string {
  const shortage = quota === null ? null : `a quota keeps it from its size: ${quota.quota}`
  return failure?.message ?? lack ?? shortage ?? ''
}

export interface Sizes {
  desiredSize?: number | undefined
  minSize?: number | undefined
  maxSize?: number | undefined
}

/**
 * The sizes of a new pool. `desiredSize` alone, which is the older way, means a pool of just that size; with nothing said
 * there are one or two members.
 */
export function newSizes({ desiredSize = 0, minSize, maxSize }: Sizes): { min: number; max: number } {
  if (minSize === undefined && maxSize === undefined && desiredSize > 0)
    return { min: desiredSize, max: desiredSize }
  const max = maxSize ?? Math.max(2, minSize ?? 1)
  return { min: minSize ?? Math.min(1, max), max }
}

/** What of the sizes is to be changed. */
export function changedSizes({ desiredSize, minSize, maxSize }: Sizes): { min?: number; max?: number } {
  if (minSize === undefined && maxSize === undefined)
    return desiredSize === undefined ? {} : { min: desiredSize, max: desiredSize }
  return {
    ...(minSize === undefined ? {} : { min: minSize }),
    ...(maxSize === undefined ? {} : { max: maxSize }),
  }
}
