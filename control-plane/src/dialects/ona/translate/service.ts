import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Duration } from '@bufbuild/protobuf/wkt'
import type { ProcessPhase, Readiness, Service } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import {
  ServicePhase,
  ServiceRole,
  type ServiceSchema,
} from '../generated/gitpod/v1/automation_resource_pb.ts'
import { type IdOf, logUrl, toOnaMetadata, toOnaVariables } from './task.ts'
import { durationOf } from './values.ts'

/** What was never started counts as stopped, since it is started in the same way. */
const phases: Readonly<Record<ProcessPhase, ServicePhase>> = {
  idle: ServicePhase.STOPPED,
  pending: ServicePhase.STARTING,
  starting: ServicePhase.STARTING,
  restarting: ServicePhase.STARTING,
  running: ServicePhase.RUNNING,
  stopping: ServicePhase.STOPPING,
  deleting: ServicePhase.STOPPING,
  stopped: ServicePhase.STOPPED,
  succeeded: ServicePhase.STOPPED,
  failed: ServicePhase.FAILED,
}

export function toOnaService(
  service: Service,
  secretIdOf: IdOf,
  origin: string,
): MessageInitShape<typeof ServiceSchema> {
  const { metadata, spec, specVersion, status, statusVersion } = service
  const { environmentId, request, readiness, desired } = spec
  const ready = readiness?.kind === 'command' ? readiness.command : ''
  return {
    id: metadata.id,
    environmentId,
    metadata: { ...toOnaMetadata(service), role: ServiceRole.DEFAULT },
    spec: {
      specVersion: BigInt(specVersion),
      desiredPhase: desiredPhase(desired, request),
      commands: { start: spec.command, ready },
      env: toOnaVariables(spec, secretIdOf),
      ...(readiness === null ? {} : { readinessTimeout: durationOf(readiness.deadlineSeconds) }),
    },
    status: {
      statusVersion: BigInt(statusVersion),
      phase: phases[status.phase],
      failureMessage: status.failure?.message ?? '',
      ...(request === 0 ? {} : { logUrl: logUrl(origin, { environmentId, id: metadata.id, request }) }),
    },
  }
}

function desiredPhase(desired: Service['spec']['desired'], request: number): ServicePhase {
  if (desired === 'delete') return ServicePhase.DELETED
  return desired === 'run' && request > 0 ? ServicePhase.RUNNING : ServicePhase.STOPPED
}

/** How it is told that a service is ready; null where a command does not say. */
export function nativeReadiness(ready: string | undefined, timeout: Duration | undefined) {
  if (ready === undefined || ready === '') return null
  const seconds = timeout === undefined ? {} : { deadlineSeconds: Number(timeout.seconds) }
  return { kind: 'command' as const, command: ready, ...seconds }
}

/** Of a service that is told to be ready in some way: what is not given stays. Nothing where nothing is given. */
export function changedReadiness(
  before: Readiness | null,
  ready: string | undefined,
  timeout: Duration | undefined,
) {
  if (ready === undefined && timeout === undefined) return {}
  if (before === null || ready === '') return { readiness: nativeReadiness(ready, timeout) }
  const deadlineSeconds = timeout === undefined ? before.deadlineSeconds : Number(timeout.seconds)
  if (ready === undefined) return { readiness: { ...before, deadlineSeconds } }
  return { readiness: { kind: 'command' as const, command: ready, deadlineSeconds } }
}

/** A service ends by a signal. */
export function requireNoStop(stop: string | undefined): void {
  if (stop !== undefined && stop !== '')
    throw new HearthError(
      'unprocessable',
      'spec.commands.stop: must be absent: a service is ended with SIGTERM, which its command may trap',
    )
}
