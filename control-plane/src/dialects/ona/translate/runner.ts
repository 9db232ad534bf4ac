import type { MessageInitShape } from '@bufbuild/protobuf'
import type { RunnerPhase as NativePhase, Runner } from '@hearth/contract'
import { RunnerKind, RunnerProvider } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { RunnerCapability, RunnerPhase, type RunnerSchema } from '../generated/gitpod/v1/runner_pb.ts'
import { subjectOf, timestampOf } from './values.ts'

/** What is being emptied still runs what it has; nothing new is placed on it. */
export const runnerPhases: Readonly<Record<NativePhase, RunnerPhase>> = {
  created: RunnerPhase.CREATED,
  active: RunnerPhase.ACTIVE,
  degraded: RunnerPhase.DEGRADED,
  draining: RunnerPhase.INACTIVE,
  offline: RunnerPhase.INACTIVE,
  deleted: RunnerPhase.DELETED,
}

/** The label that keeps what a runner is called in full. */
export const runnerName = 'ona/name'

function desiredPhase(phase: NativePhase, scheduling: Runner['spec']['scheduling']): RunnerPhase {
  if (phase === 'deleted') return RunnerPhase.DELETED
  return scheduling === 'enabled' ? RunnerPhase.ACTIVE : RunnerPhase.INACTIVE
}

/** Every host of Hearth takes snapshots and keeps machines ready. */
const capabilities = [
  RunnerCapability.ENVIRONMENT_SNAPSHOT,
  RunnerCapability.PREBUILDS_BEFORE_SNAPSHOT_TRIGGER,
  RunnerCapability.WARM_POOL,
]

export function toOnaRunner({ metadata, spec, status }: Runner): MessageInitShape<typeof RunnerSchema> {
  const { facts, health, lastSeenAt } = status
  return {
    runnerId: metadata.id,
    createdAt: timestampOf(metadata.createdAt),
    updatedAt: timestampOf(metadata.updatedAt),
    name: metadata.labels[runnerName] ?? metadata.name,
    spec: {
      desiredPhase: desiredPhase(status.phase, spec.scheduling),
      configuration: { region: spec.region },
    },
    status: {
      updatedAt: timestampOf(lastSeenAt ?? metadata.updatedAt),
      version: facts?.agentVersion ?? '',
      systemDetails:
        facts === null
          ? ''
          : `${facts.virtualization}, ${facts.virtualCpus} vCPU, ${facts.memoryMebibytes} MiB of memory, ${facts.diskGibibytes} GiB of disk`,
      phase: runnerPhases[status.phase],
      message: health?.lastFailure?.message ?? facts?.warnings?.[0] ?? '',
      region: spec.region,
      capabilities: facts === null ? [] : capabilities,
    },
    creator: subjectOf(metadata.creator) ?? {},
    kind: RunnerKind.REMOTE,
    provider: RunnerProvider.LINUX_HOST,
  }
}
