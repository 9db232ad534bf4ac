import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Prebuild, PrebuildDesiredPhase, PrebuildTriggerKind } from '@hearth/contract'
import {
  PrebuildPhase,
  type PrebuildSchema,
  PrebuildMetadata_PrebuildTrigger as PrebuildTrigger,
} from '../generated/gitpod/v1/prebuild_pb.ts'
import { prebuildPhases } from './phases.ts'
import { durationOf, subjectOf, timestampOf } from './values.ts'

/** A push has no word of its own: nobody asked for it by hand, as with a schedule. */
const triggers: Readonly<Record<PrebuildTriggerKind, PrebuildTrigger>> = {
  manual: PrebuildTrigger.MANUAL,
  schedule: PrebuildTrigger.SCHEDULED,
  push: PrebuildTrigger.SCHEDULED,
}

export function nativeTriggers(wanted: readonly PrebuildTrigger[]): PrebuildTriggerKind[] {
  const all = Object.entries(triggers) as [PrebuildTriggerKind, PrebuildTrigger][]
  return all.filter(([, trigger]) => wanted.includes(trigger)).map(([native]) => native)
}

const desired: Readonly<Record<PrebuildDesiredPhase, PrebuildPhase>> = {
  completed: PrebuildPhase.COMPLETED,
  cancelled: PrebuildPhase.CANCELLED,
  deleted: PrebuildPhase.DELETED,
}

export function toOnaPrebuild(
  { metadata, spec, specVersion, status, statusVersion }: Prebuild,
  origin: string,
): MessageInitShape<typeof PrebuildSchema> {
  const { phase, progress, bytes, warnings, failure, environmentId } = status
  const executor = subjectOf(spec.executorId)
  return {
    id: metadata.id,
    metadata: {
      organizationId: metadata.organizationId,
      projectId: spec.projectId,
      environmentClassId: spec.environmentClassId,
      // A schedule acts in the name of its executor.
      creator: subjectOf(metadata.creator) ?? executor ?? {},
      createdAt: timestampOf(metadata.createdAt),
      updatedAt: timestampOf(metadata.updatedAt),
      triggeredBy: triggers[spec.trigger.kind],
      executor,
    },
    spec: {
      specVersion: BigInt(specVersion),
      desiredPhase: desired[spec.desiredPhase],
      timeout: durationOf(spec.timeoutSeconds),
    },
    status: {
      phase: prebuildPhases[phase],
      completionTime: timestampOf(status.completedAt),
      failureMessage: failure?.message ?? '',
      logUrl: `${origin}/v1/prebuilds/${metadata.id}/log`,
      environmentId: environmentId ?? '',
      statusVersion: BigInt(statusVersion),
      warningMessage: warnings.join('\n'),
      snapshotCompletionPercentage: phase === 'snapshotting' && progress !== null ? percentage(progress) : 0,
      snapshotSizeBytes: phase === 'completed' && bytes !== null ? BigInt(bytes) : 0n,
    },
  }
}

function percentage({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): number {
  return totalBytes === 0 ? 0 : Math.min(100, Math.floor((100 * doneBytes) / totalBytes))
}
