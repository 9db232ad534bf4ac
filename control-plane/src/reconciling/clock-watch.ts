import type { Clock } from '@hearth/foundation'

const lookMilliseconds = 1_000
/** Less than this is how clocks are kept right. */
const setBackMilliseconds = 2_000

/** Calls `whenSetBack` each time this control plane's clock was set back; the returned function stops it. */
export function watchClock(clock: Clock, whenSetBack: (milliseconds: number) => void): () => void {
  // Time that passes moves both, so that their difference moves with the clock alone.
  const difference = () => clock.now().getTime() - performance.now()
  let before = difference()
  const look = () => {
    const now = difference()
    const back = before - now
    before = now
    if (back > setBackMilliseconds) whenSetBack(Math.round(back))
  }
  const timer = setInterval(look, lookMilliseconds).unref()
  return () => clearInterval(timer)
}
