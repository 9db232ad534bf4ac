import { mostClockOffsetMilliseconds } from '../identity.ts'

/** One look at a guest's clock; all in milliseconds. */
export interface ClockLook {
  /** When it was asked, and when the answer was there, by the clock of the host. */
  sent: number
  received: number
  /** What the guest's clock said in between. */
  there: number
}

/**
 * By how much the guest's clock is ahead, in milliseconds. Half the round trip is taken as the way there. Where that makes
 * it too much, only what lies outside the round trip counts: a guest on a busy host may read its clock at any moment of it.
 */
export function clockOffset({ sent, received, there }: ClockLook): number {
  const likely = there - (sent + received) / 2
  if (Math.abs(likely) < mostClockOffsetMilliseconds) return Math.round(likely)
  const outside = Math.round(Math.abs(likely) - (received - sent) / 2)
  if (outside <= 0) return 0
  return likely < 0 ? -outside : outside
}
