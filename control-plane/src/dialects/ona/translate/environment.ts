import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Address, Environment, Repository } from '@hearth/contract'
import type { RouteRow } from '../../../kinds/route/index.ts'
import {
  EnvironmentStatus_RunnerACK_StatusCode as AckCode,
  EnvironmentStatus_ContentPhase as ContentPhase,
  EnvironmentRole,
  type EnvironmentSchema,
  EnvironmentStatus_Machine_Phase as MachinePhase,
} from '../generated/gitpod/v1/environment_resource_pb.ts'
import {
  GitInitializer_CloneTargetMode as CloneTargetMode,
  type EnvironmentInitializerSchema,
  EnvironmentPhase,
} from '../generated/gitpod/v1/environment_spec_pb.ts'
import { opsPath } from '../ops/path.ts'
import { annotationsOf, environmentLabels } from './environment-labels.ts'
import { desiredPhases, environmentPhase } from './environment-phases.ts'
import { toOnaPort, toOnaUrls } from './ports.ts'
import { durationOf, subjectOf, timestampOf } from './values.ts'

/** Where in a machine the repositories are. */
const home = '/home'

export interface ShownEnvironment {
  environment: Environment
  /** The principal that has it; null for nobody. */
  heldBy: string | null
  /** That lead to it. */
  routes: readonly RouteRow[]
}

export function toOnaEnvironment(
  { environment: { metadata, spec, specVersion, status, statusVersion }, heldBy, routes }: ShownEnvironment,
  { origin, address }: { origin: string; address: string },
): MessageInitShape<typeof EnvironmentSchema> {
  const phase = environmentPhase(status.phase, spec.desiredPhase)
  const isRunning = phase === EnvironmentPhase.RUNNING
  const prebuildId = status.startedFrom?.snapshotId ?? null
  const failures = status.phase === 'failed' && status.failure !== null ? [status.failure.message] : []
  const repositories = spec.plan?.repositories ?? []
  return {
    id: metadata.id,
    metadata: {
      organizationId: metadata.organizationId,
      name: metadata.labels[environmentLabels.name] ?? metadata.name,
      annotations: annotationsOf(metadata.labels),
      originalContextUrl: metadata.labels[environmentLabels.contextUrl] ?? '',
      sessionId: metadata.labels[environmentLabels.session] ?? '',
      archivedAt: timestampOf(metadata.labels[environmentLabels.archivedAt]),
      creator: subjectOf(heldBy) ?? {},
      createdAt: timestampOf(metadata.createdAt),
      projectId: spec.projectId,
      runnerId: status.runnerId ?? '',
      lastStartedAt: timestampOf(status.readyAt),
      role: spec.prebuildId === null ? EnvironmentRole.DEFAULT : EnvironmentRole.PREBUILD,
      ...(spec.prebuildId === null ? {} : { prebuildId: spec.prebuildId }),
    },
    spec: {
      specVersion: BigInt(specVersion),
      desiredPhase: desiredPhases[spec.desiredPhase],
      machine: { class: spec.environmentClassId },
      content: { initializer: toInitializer(repositories) },
      ports: routes.map(toOnaPort),
      timeout: { disconnected: durationOf(status.life?.idleSeconds ?? 0) },
    },
    status: {
      statusVersion: BigInt(statusVersion),
      runnerAck: { specVersion: BigInt(status.observedSpecVersion), statusCode: AckCode.OK },
      phase,
      failureMessage: failures,
      environmentUrls: {
        ...(isRunning && status.address !== null ? { ssh: { url: sshUrl(status.address) } } : {}),
        // One that never ran answers nobody yet; one that rests is woken.
        ports: phase === EnvironmentPhase.CREATING ? [] : toOnaUrls(routes),
        logs: `${origin}/v1/environments/${metadata.id}/log`,
        ...(isRunning ? { ops: `${address}${opsPath(metadata.id)}` } : {}),
      },
      machine: { phase: machinePhases[phase] ?? MachinePhase.UNSPECIFIED },
      content: {
        phase: contentPhase(phase, status),
        contentLocationInMachine: home,
      },
      warningMessage: prebuildId === null && status.startedFrom?.reason ? [status.startedFrom.reason] : [],
    },
  }
}

/** What is not running keeps what it has checked out, which nobody gets at meanwhile. */
function contentPhase(
  phase: EnvironmentPhase,
  { phase: native, readyAt }: Environment['status'],
): ContentPhase {
  if (native === 'failed' && readyAt === null) return ContentPhase.FAILED
  if (phase === EnvironmentPhase.CREATING) return ContentPhase.CREATING
  return phase === EnvironmentPhase.RUNNING ? ContentPhase.READY : ContentPhase.UNAVAILABLE
}

const machinePhases: Readonly<Partial<Record<EnvironmentPhase, MachinePhase>>> = {
  [EnvironmentPhase.CREATING]: MachinePhase.CREATING,
  [EnvironmentPhase.STARTING]: MachinePhase.STARTING,
  [EnvironmentPhase.RUNNING]: MachinePhase.RUNNING,
  [EnvironmentPhase.STOPPING]: MachinePhase.STOPPING,
  [EnvironmentPhase.STOPPED]: MachinePhase.STOPPED,
  [EnvironmentPhase.DELETING]: MachinePhase.DELETING,
  [EnvironmentPhase.DELETED]: MachinePhase.DELETED,
}

const sshUrl = ({ host, port, user }: Address) =>
  `ssh://${user}@${host.includes(':') ? `[${host}]` : host}:${port}`

/** Repositories as what a machine's folder begins with. */
export function toInitializer(
  repositories: readonly Pick<Repository, 'url' | 'branch'>[],
): MessageInitShape<typeof EnvironmentInitializerSchema> {
  return {
    specs: repositories.map(({ url, branch }) => ({
      spec: {
        case: 'git' as const,
        value: {
          remoteUri: url,
          ...(branch == null
            ? { targetMode: CloneTargetMode.REMOTE_HEAD }
            : { targetMode: CloneTargetMode.REMOTE_BRANCH, cloneTarget: branch }),
        },
      },
    })),
  }
}
