import type { Presence } from '@hearth/contract'

type Beat = Pick<Presence, 'epoch' | 'sentAt' | 'leaving'>

/** Whether a heartbeat is older than another of its runner: of an older lease, or sent earlier under the same lease. */
export function isOlderBeat(beat: Beat, other: Beat): boolean {
  return beat.epoch === other.epoch ? beat.sentAt < other.sentAt : beat.epoch < other.epoch
}
