import type { PrebuildPhase as NativePrebuildPhase, WarmPool } from '@hearth/contract'
import { PrebuildPhase, WarmPoolPhase } from '../generated/gitpod/v1/prebuild_pb.ts'

/** Both interfaces' words for the phases of a prebuild, side by side. */
export const prebuildPhases: Readonly<Record<NativePrebuildPhase, PrebuildPhase>> = {
  pending: PrebuildPhase.PENDING,
  starting: PrebuildPhase.STARTING,
  running: PrebuildPhase.RUNNING,
  stopping: PrebuildPhase.STOPPING,
  snapshotting: PrebuildPhase.SNAPSHOTTING,
  completed: PrebuildPhase.COMPLETED,
  failed: PrebuildPhase.FAILED,
  cancelling: PrebuildPhase.CANCELLING,
  cancelled: PrebuildPhase.CANCELLED,
  deleting: PrebuildPhase.DELETING,
  deleted: PrebuildPhase.DELETED,
}

/** Those of Hearth's phases that the other's words name; what is not known, or is `unspecified`, names none. */
export function nativePrebuildPhases(wanted: readonly PrebuildPhase[]): NativePrebuildPhase[] {
  const all = Object.entries(prebuildPhases) as [NativePrebuildPhase, PrebuildPhase][]
  return all.filter(([, phase]) => wanted.includes(phase)).map(([native]) => native)
}

/**
 * The nearest word for a pool: it is `ready` as soon as a member waits, `degraded` where something keeps it from having what
 * it wants, and `pending` until then and while it is switched off.
 */
export function warmPoolPhase({ status }: Pick<WarmPool, 'status'>): WarmPoolPhase {
  const { phase, failure, quota, lack, ready, suspended, stopped, resumable } = status
  switch (phase) {
    case 'deleting':
      return WarmPoolPhase.DELETING
    case 'failed':
      return WarmPoolPhase.DEGRADED
    case 'ready':
      return WarmPoolPhase.READY
    case 'filling':
      if (failure !== null || quota !== null || lack !== null) return WarmPoolPhase.DEGRADED
      return ready + suspended + stopped + resumable > 0 ? WarmPoolPhase.READY : WarmPoolPhase.PENDING
    case 'cleared':
    case 'disabled':
      return WarmPoolPhase.PENDING
  }
}
