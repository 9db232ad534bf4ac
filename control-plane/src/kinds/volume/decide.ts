import { type Failure, type VolumePhase, volumeSeconds } from '@hearth/contract'

export interface SeenVolume {
  name: string
  phase: VolumePhase
  desired: 'present' | 'delete'
  /** The machine that it is kept for. */
  environmentId: string | null
  runnerId: string | null
  /** Whether it is to be made somewhere although no machine has it yet. */
  isToBeMade: boolean
  waitsFor: string | null
  deadline: Date | null
}

/** The runner that has it, or that it would be made on. */
export interface SeenRunner {
  id: string
  name: string
  /** Whether it was removed, and its host with it. */
  isRemoved: boolean
  /** Whether nothing is heard of it now. */
  isSilent: boolean
}

export interface Surroundings {
  /** Whether the machine that it is kept for is deleted. */
  isMachineGone: boolean
  runner: SeenRunner | null
  /** Of one that is not placed: where it fits, or what is waited for. */
  place: { runnerId: string } | { waitsFor: string }
}

export type VolumeAction =
  | { do: 'remove' }
  | { do: 'release' } // its machine is gone
  | { do: 'place'; runnerId: string; deadline: Date }
  | { do: 'wait'; waitsFor: string; deadline: Date }
  | { do: 'begin'; phase: 'deleting'; deadline: Date }
  | { do: 'postpone'; deadline: Date } // its host cannot be asked now
  | { do: 'fail'; failure: Failure }

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)

/** The phases in which a host has something to do, and for how long it may. */
const hostSeconds: Readonly<Partial<Record<VolumePhase, number>>> = {
  creating: volumeSeconds.creating,
  attaching: volumeSeconds.attaching,
  detaching: volumeSeconds.detaching,
  clearing: volumeSeconds.clearing,
  growing: volumeSeconds.growing,
  deleting: volumeSeconds.deleting,
}

/** When a phase is over; null for one that rests. */
export function deadlineOf(phase: VolumePhase, now: Date): Date | null {
  const seconds = phase === 'pending' ? volumeSeconds.pending : hostSeconds[phase]
  return seconds === undefined ? null : later(now, seconds)
}

/** The next action for a volume; null when only an event or a time can change anything. Pure. */
export function decide(volume: SeenVolume, around: Surroundings, now: Date): VolumeAction | null {
  const { phase, runnerId } = volume
  const { runner } = around
  const isPast = volume.deadline !== null && volume.deadline <= now
  if (volume.desired === 'delete') {
    if (runnerId === null || runner === null || runner.isRemoved) return { do: 'remove' }
    if (phase !== 'deleting')
      return { do: 'begin', phase: 'deleting', deadline: later(now, volumeSeconds.deleting) }
    return isPast ? { do: 'remove' } : null
  }
  if (volume.environmentId !== null && around.isMachineGone) return { do: 'release' }
  if (runnerId === null) return decidePlace(volume, around.place, isPast, now)
  if (runner === null || runner.isRemoved) {
    const message = `its disk was on the host of runner ${runner?.name ?? runnerId}, which was removed: only deleting it is left`
    return phase === 'failed' ? null : { do: 'fail', failure: { code: 'runner_lost', message } }
  }
  const seconds = hostSeconds[phase]
  if (seconds === undefined || !isPast) return null
  if (runner.isSilent) return { do: 'postpone', deadline: later(now, seconds) }
  const message = `runner ${runner.name} has not done within ${seconds} s what ${phase} asks of it: ${wayOut(volume)}`
  return { do: 'fail', failure: { code: 'deadline_passed', message } }
}

function decidePlace(
  volume: SeenVolume,
  place: Surroundings['place'],
  isPast: boolean,
  now: Date,
): VolumeAction | null {
  const { phase, isToBeMade } = volume
  if (phase === 'failed' || (phase === 'unplaced' && !isToBeMade)) return null
  if ('runnerId' in place)
    return { do: 'place', runnerId: place.runnerId, deadline: later(now, volumeSeconds.creating) }
  const { waitsFor } = place
  if (phase === 'pending' && isPast) {
    const message = `it waited ${volumeSeconds.pending} s for ${waitsFor}: change it, and it is tried again`
    return { do: 'fail', failure: { code: 'no_runner_fits', message } }
  }
  if (phase === 'pending' && volume.waitsFor === waitsFor && volume.deadline !== null) return null
  const deadline = phase === 'pending' ? volume.deadline : null
  return { do: 'wait', waitsFor, deadline: deadline ?? later(now, volumeSeconds.pending) }
}

function wayOut({ name, phase }: SeenVolume): string {
  switch (phase) {
    case 'attaching':
      return `see that its machine answers, then attach it again, or detach it with \`hearth volume detach ${name}\``
    case 'detaching':
      return `stop its machine and detach it again, or \`hearth volume detach ${name} --force\``
    default:
      return `change it, and it is tried again, or delete it with \`hearth volume delete ${name}\``
  }
}
