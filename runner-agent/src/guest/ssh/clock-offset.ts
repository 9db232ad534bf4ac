import { mostClockOffsetMilliseconds } from '../identity.ts'

/** One measurement of a guest's clock; all times in milliseconds. */
export interface ClockLook {
  /** When the request was sent and when the answer arrived, by the clock of the host. */
  sent: number
  received: number
  /** Time on the guest's clock in its answer. */
  there: number
}

/**
 * How far the guest's clock is ahead, in milliseconds. Half of the round trip is taken as the time of the request. If
 * that makes the offset too large, only the part outside of the round trip counts: a guest on a busy host may read
 * its clock at any moment of it.
 */
export function clockOffset({ sent, received, there }: ClockLook): number {
  const likely = there - (sent + received) / 2
  if (Math.abs(likely) < mostClockOffsetMilliseconds) return Math.round(likely)
  const outside = Math.round(Math.abs(likely) - (received - sent) / 2)
  if (outside <= 0) return 0
  return likely < 0 ? -outside : outside
}
