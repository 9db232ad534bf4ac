import type { Stored } from '@hearth/messaging'
import type { Checkpoint } from '../kinds/event/index.ts'

/** What NATS said of an event. */
export interface Answer extends Stored {
  eventId: string
}

/** What the stream of events holds. */
export interface Held {
  /** The event under the checkpoint's number; null where there is none. */
  eventId: string | null
  /** The numbers of its oldest and its newest message. */
  first: number
  last: number
}

/**
 * The number up to which the stream may still hold what it did, where it has lost the message of the newest checkpoint
 * and perhaps more before it; null when it holds that, or held it until its time was over.
 */
export function forgottenAfter(checkpoint: Checkpoint, { eventId, first, last }: Held): number | null {
  if (eventId === checkpoint.eventId) return null
  if (last < checkpoint.sequence) return last
  return checkpoint.sequence < first ? null : checkpoint.sequence - 1
}

/**
 * Whether the stream has forgotten something while it was published to: it gives a new event a number that it has told
 * before only when what had that number is gone. The answers in the order they came, which is the stream's.
 */
export function hasForgotten(checkpoint: Checkpoint | null, answers: readonly Stored[]): boolean {
  let told = checkpoint?.sequence ?? 0
  for (const { sequence, duplicate } of answers) {
    if (!duplicate && sequence <= told) return true
    told = Math.max(told, sequence)
  }
  return false
}

/** The newest message that is known after the answers; null while none is. */
export function newestOf(checkpoint: Checkpoint | null, answers: readonly Answer[]): Checkpoint | null {
  let newest = checkpoint
  for (const { sequence, eventId } of answers)
    if (newest === null || sequence > newest.sequence) newest = { sequence, eventId }
  return newest
}
