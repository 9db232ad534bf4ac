const share = 0.25

/**
 * Up to a quarter less, at random: what is looked at together, as after a start, would otherwise be looked at together
 * for ever, and all else waits for it each time. In milliseconds.
 */
export function apart(milliseconds: number): number {
  return milliseconds * (1 - share * Math.random())
}
