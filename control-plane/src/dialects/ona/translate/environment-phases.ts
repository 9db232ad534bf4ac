import type { DesiredPhase, EnvironmentPhase as NativePhase } from '@hearth/contract'
import type { EnvironmentState } from '../../../kinds/environment/index.ts'
import { EnvironmentPhase } from '../generated/gitpod/v1/environment_spec_pb.ts'

/**
 * Both interfaces' words for the phases of an environment. What is suspended counts as stopped, since it is started again in
 * the same way; what has failed does too, and says why.
 */
export const environmentPhases: Readonly<Record<NativePhase, EnvironmentPhase>> = {
  pending: EnvironmentPhase.CREATING,
  provisioning: EnvironmentPhase.CREATING,
  starting: EnvironmentPhase.STARTING,
  resuming: EnvironmentPhase.STARTING,
  running: EnvironmentPhase.RUNNING,
  stopping: EnvironmentPhase.STOPPING,
  suspending: EnvironmentPhase.STOPPING,
  stopped: EnvironmentPhase.STOPPED,
  suspended: EnvironmentPhase.STOPPED,
  failed: EnvironmentPhase.STOPPED,
  deleting: EnvironmentPhase.DELETING,
  deleted: EnvironmentPhase.DELETED,
}

/** What is about to be started or stopped counts as being so: clients wait for the end of that alone. */
export function environmentPhase(phase: NativePhase, desired: DesiredPhase): EnvironmentPhase {
  const isOff = phase === 'stopped' || phase === 'suspended'
  if (isOff && desired === 'running') return EnvironmentPhase.STARTING
  if (phase === 'running' && (desired === 'stopped' || desired === 'suspended'))
    return EnvironmentPhase.STOPPING
  return environmentPhases[phase]
}

export const desiredPhases: Readonly<Record<DesiredPhase, EnvironmentPhase>> = {
  running: EnvironmentPhase.RUNNING,
  stopped: EnvironmentPhase.STOPPED,
  suspended: EnvironmentPhase.STOPPED,
  deleted: EnvironmentPhase.DELETED,
}

/** What is shown in one of these phases. */
export function nativeEnvironmentStates(wanted: readonly EnvironmentPhase[]): EnvironmentState[] {
  const phases = Object.keys(environmentPhases) as NativePhase[]
  const all = phases.flatMap((phase) =>
    (Object.keys(desiredPhases) as DesiredPhase[]).map((desired) => ({ phase, desired })),
  )
  return all.filter(({ phase, desired }) => wanted.includes(environmentPhase(phase, desired)))
}
