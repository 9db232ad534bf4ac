import type { Stored } from '@hearth/messaging'

/** What is known of the stream that events are published to. */
export interface KnownStream {
  /** The highest number under which it has said to have stored one; 0 where none is known. */
  told: number
  /** Where it was found to end though it had told more; null while it holds all it told. */
  fallenTo: number | null
}

/**
 * With what PostgreSQL has recorded at the start of a round. A fall is over once the record is no higher than it, and
 * when nothing is recorded of a stream, nothing of it is missing.
 */
export function withRecord({ fallenTo }: KnownStream, sequence: number | null): KnownStream {
  const over = fallenTo === null || sequence === null || sequence <= fallenTo
  return { told: sequence ?? 0, fallenTo: over ? null : fallenTo }
}

/** With the number of its newest message. */
export function withEnd(known: KnownStream, end: number): KnownStream {
  return end < known.told ? fallen(known, end) : known
}

/**
 * With an answer to a publication; they come in the order in which the stream has the events. It gives a new event a
 * number that it has told before only when what had that number is gone.
 */
export function withAnswer(known: KnownStream, { sequence, duplicate }: Stored): KnownStream {
  const judged = !duplicate && sequence <= known.told ? fallen(known, sequence - 1) : known
  return { ...judged, told: Math.max(known.told, sequence) }
}

/**
 * After which position all is published again, when the event at which the stream now ends has position `last` (null:
 * it holds none there). Up to a round of `most` before that all has been stored, since a round begins when that before it
 * is done.
 */
export function positionBefore(last: number | null, most: number): number {
  return Math.max(0, (last ?? 0) - most)
}

function fallen(known: KnownStream, end: number): KnownStream {
  return { ...known, fallenTo: Math.min(known.fallenTo ?? end, end) }
}
