import type { Failure, VolumeOrder, VolumeReportPhase } from '@hearth/contract'
import type { Power } from '../../host/machine.ts'
import type { Volume } from '../../host/volume.ts'
import { refusal } from '../fencing.ts'
import type { CommonStep } from '../work.ts'

export type VolumeStep =
  | { kind: 'create' }
  | { kind: 'clear' }
  | { kind: 'grow' }
  | { kind: 'attach'; environmentId: string }
  | { kind: 'mount'; environmentId: string }
  | { kind: 'unmount'; environmentId: string; force: boolean }
  | { kind: 'detach' }
  | { kind: 'remove' }
export type NextVolumeStep = VolumeStep | CommonStep<VolumeReportPhase>

export interface SeenVolume {
  volume: Volume
  /** Of the machine that has the volume, or is to have it. */
  power: Power
  /** Whether it is mounted there; null where this process has not asked since that machine was started. */
  isMounted: boolean | null
  /** Whether this process has seen its disk. */
  wasPresent: boolean
  failure: Failure | null
  /** The generation of the order that failed. */
  failedGeneration: number
}

const bytesPerMebibyte = 1024 ** 2

/** The next step towards what is ordered. Pure. */
export function nextStep(order: VolumeOrder, seen: SeenVolume): NextVolumeStep {
  const { volume, failure } = seen
  const { ownership, phase } = volume
  if ((phase !== 'absent' || ownership !== null) && ownership?.owner !== order.runnerId)
    return failed(
      'host_refused',
      `a volume ${order.id} is on the host and is not this runner’s: it is left alone`,
    )
  const refused = ownership === null ? null : refusal('the volume', order, ownership)
  if (refused !== null) return refused
  const hasFailed = failure !== null && seen.failedGeneration === order.generation
  if (hasFailed) return { kind: 'rest', phase: 'failed', failure }
  if (order.desired === 'deleted') return towardsDeleted(order, seen)
  if (phase !== 'present') {
    // Another disk in its place would hide that what was written is lost.
    if (order.isMade || seen.wasPresent)
      return failed('volume_missing', 'its disk is not on the host any more')
    return { kind: 'create' }
  }
  if (volume.environmentId !== null && volume.environmentId !== order.environmentId)
    return outOf(volume.environmentId, order, seen)
  if (volume.contentNumber < order.contentNumber) {
    const isInUse = volume.environmentId !== null && volume.isPlugged
    return isInUse ? outOf(volume.environmentId ?? '', order, seen) : { kind: 'clear' }
  }
  if (volume.bytes < order.sizeMebibytes * bytesPerMebibyte) return { kind: 'grow' }
  const { environmentId } = order
  if (environmentId === null) return rest('available')
  if (volume.environmentId === null) return { kind: 'attach', environmentId }
  // Whatever it is that the machine does: it is kept for that one.
  if (seen.power !== 'running') return rest('attached')
  if (!volume.isPlugged) return { kind: 'attach', environmentId }
  return seen.isMounted === true ? rest('attached') : { kind: 'mount', environmentId }
}

function towardsDeleted(order: VolumeOrder, seen: SeenVolume): NextVolumeStep {
  const { volume } = seen
  if (volume.phase === 'absent' && volume.ownership === null) return rest('deleted')
  return volume.environmentId === null ? { kind: 'remove' } : outOf(volume.environmentId, order, seen)
}

/** Out of the machine that has it: first the guest gives it back, if it runs. */
function outOf(
  environmentId: string,
  { force }: VolumeOrder,
  { volume, power, isMounted }: SeenVolume,
): NextVolumeStep {
  if (!volume.isPlugged) return { kind: 'detach' }
  if (power === 'running' && isMounted !== false) return { kind: 'unmount', environmentId, force }
  if (power === 'paused' && isMounted !== false && !force)
    return failed('host_refused', 'its machine stands still and cannot write out what belongs to the volume')
  return { kind: 'detach' }
}

const rest = (phase: VolumeReportPhase) => ({ kind: 'rest', phase, failure: null }) as const

function failed(code: Failure['code'], message: string) {
  return { kind: 'rest', phase: 'failed', failure: { code, message } } as const
}
