import type { Stored } from '@hearth/messaging'
import type { Checkpoint } from '../kinds/event/index.ts'

/** NATS's acknowledgement of an event. */
export interface Answer extends Stored {
  eventId: string
}

/** The event stream's content, as far as NATS reports it. */
export interface Held {
  /** The event at the checkpoint's sequence; null where there is none. */
  eventId: string | null
  /** Sequences of its oldest and newest message. */
  first: number
  last: number
}

/**
 * Last sequence that can be trusted when the message of the newest checkpoint, and perhaps more before it, is lost;
 * null if none was lost, or it only expired.
 */
export function forgottenAfter(checkpoint: Checkpoint, { eventId, first, last }: Held): number | null {
  if (eventId === checkpoint.eventId) return null
  if (last < checkpoint.sequence) return last
  return checkpoint.sequence < first ? null : checkpoint.sequence - 1
}

/**
 * Whether the stream lost messages during publication: it gives a new event an earlier sequence only when the message
 * that had it is gone. Takes the acknowledgements in the order of the stream.
 */
export function hasForgotten(checkpoint: Checkpoint | null, answers: readonly Stored[]): boolean {
  let newest = checkpoint?.sequence ?? 0
  for (const { sequence, duplicate } of answers) {
    if (!duplicate && sequence <= newest) return true
    newest = Math.max(newest, sequence)
  }
  return false
}

/** The newest message known after these acknowledgements; null while none is. */
export function newestOf(checkpoint: Checkpoint | null, answers: readonly Answer[]): Checkpoint | null {
  let newest = checkpoint
  for (const { sequence, eventId } of answers)
    if (newest === null || sequence > newest.sequence) newest = { sequence, eventId }
  return newest
}
