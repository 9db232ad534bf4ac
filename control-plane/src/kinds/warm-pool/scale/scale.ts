import type { Bounds, PoolScaling } from '@hearth/contract'
import { burstWithin, claimsWithin, type Demand } from './demand.ts'
import { poissonQuantile } from './poisson.ts'

/** What a pool remembers between two looks at its size. */
export interface ScaleState {
  size: number
  /** Since when fewer would do; null while they would not. Milliseconds since 1970. */
  fewerSince: number | null
}

export interface SeenDemand {
  demand: Demand
  bounds: Pick<Bounds, 'min' | 'max'>
  /** Share of claims for which an environment is to be there at once. */
  wantedShare: number
  /** Time from the order to the ready environment; nine of ten are quicker. Null where none is known. */
  refillMilliseconds: number | null
  before: ScaleState | null
  now: Date
}

export interface ScaleDecision {
  state: ScaleState
  scaling: PoolScaling
  /** When it has to be looked at again although nothing happens; null for never. */
  lookAgainAt: Date | null
}

/** A pool becomes smaller only when fewer would have done for so long. */
const fewerMilliseconds = 600_000
const minute = 60_000
/** Where nothing was made yet. */
const refillUnknown = 60_000
const standardDeviations = 3

/**
 * How many environments a pool wants: enough for the claims of one refill, with the wanted share, and for the largest
 * burst of the last hour. It grows at once, and shrinks after ten minutes in which a fifth fewer would have done.
 */
export function scale(seen: SeenDemand): ScaleDecision {
  const { demand, bounds, wantedShare, before, now } = seen
  const refill = seen.refillMilliseconds ?? refillUnknown
  const rate = presentRate(demand, now)
  const burst = burstWithin(demand, refill)
  const byRate = poissonQuantile(rate * refill, wantedShare)
  const needed = Math.max(byRate, burst)
  const wanted = clamp(needed, bounds)
  const state = nextState(before, wanted, bounds, now)
  const scaling = {
    claimsPerMinute: Math.round(rate * minute * 10) / 10,
    burst,
    refillSeconds: Math.round(refill / 100) / 10,
    reason: reasonOf(seen, { byRate, burst, needed, wanted, state }),
    at: now.toISOString(),
  }
  const lookAgainAt = state.fewerSince === null ? null : new Date(state.fewerSince + fewerMilliseconds)
  return { state, scaling, lookAgainAt }
}

/** Claims a millisecond: those of the last five minutes, unless the last minute had more than chance explains. */
function presentRate(demand: Demand, now: Date): number {
  const at = now.getTime()
  const within = (milliseconds: number) => claimsWithin(demand, at - milliseconds, at + 1)
  const known = Math.max(minute, Math.min(5 * minute, at - (demand.spans[0]?.[0] ?? at)))
  const steady = within(known) / known
  const expected = steady * minute
  const lately = within(minute)
  return lately > expected + standardDeviations * Math.sqrt(Math.max(1, expected)) ? lately / minute : steady
}

function nextState(
  before: ScaleState | null,
  wanted: number,
  bounds: SeenDemand['bounds'],
  now: Date,
): ScaleState {
  if (before === null) return { size: wanted, fewerSince: null }
  const size = clamp(before.size, bounds)
  if (wanted > size) return { size: clamp(wanted + Math.ceil(wanted / 10), bounds), fewerSince: null }
  if (wanted > size - Math.max(1, size / 5)) return { size, fewerSince: null }
  const fewerSince = before.fewerSince ?? now.getTime()
  return now.getTime() - fewerSince >= fewerMilliseconds
    ? { size: wanted, fewerSince: null }
    : { size, fewerSince }
}

function clamp(size: number, { min, max }: SeenDemand['bounds']): number {
  return Math.min(Math.max(size, min), max)
}

function reasonOf(
  { bounds, wantedShare }: SeenDemand,
  found: { byRate: number; burst: number; needed: number; wanted: number; state: ScaleState },
): string {
  const { byRate, burst, needed, wanted, state } = found
  const what =
    burst > byRate
      ? `the last hour had ${burst} claims within one refill`
      : `${byRate} are claimed within one refill, or fewer, ${Math.round(wantedShare * 10_000) / 100} % of the time`
  if (needed < bounds.min && state.size === bounds.min) return `min is ${bounds.min}, although ${what}`
  if (needed > bounds.max) return `max is ${bounds.max}, although ${what}`
  if (wanted < state.size) return `it had more to do: now ${what}`
  return what
}
