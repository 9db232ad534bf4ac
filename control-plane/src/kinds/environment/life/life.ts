import {
  type EnvironmentPhase,
  type LifeCap,
  type LifeCause,
  type LifeOver,
  type LifeSettings,
  type LifeSpec,
  type LifeThen,
  settleLife,
} from '@hearth/contract'

/** An end that was announced. */
export interface Announced {
  /** The end that it was about, as reckoned then. */
  due: string
  at: string
}

/** The column `life`: what was settled when the machine was claimed or made, and what has happened since. Times are ISO 8601. */
export interface StoredLife extends LifeSettings {
  /** The longest that each may be put off to. */
  cap: LifeCap
  beganAt: string
  /** The end of the lifetime. */
  endsAt: string | null
  activeAt: string
  /** Before this it does not end for idleness, since somebody put that off. */
  keptUntil: string | null
  /** When its runner last said whether anybody uses it. */
  watchedAt: string | null
  announced: Partial<Record<LifeCause, Announced>>
  over: LifeOver | null
}

/** The life of a machine from now on; null for one that has no end. */
export function newLife(
  nearestFirst: readonly (LifeSpec | null | undefined)[],
  cap: LifeCap,
  now: Date,
): StoredLife | null {
  const settings = settleLife(nearestFirst, cap)
  const { lifetimeSeconds, idleSeconds } = settings
  if (lifetimeSeconds === null && idleSeconds === null) return null
  return {
    ...settings,
    cap,
    beganAt: now.toISOString(),
    endsAt: lifetimeSeconds === null ? null : later(now, lifetimeSeconds).toISOString(),
    activeAt: now.toISOString(),
    keptUntil: null,
    watchedAt: null,
    announced: {},
    over: null,
  }
}

/** The life with what is said of it anew; it counts as used now. Null where nothing ends it any more. */
export function changedLife(
  life: StoredLife | null,
  said: LifeSpec,
  cap: LifeCap,
  now: Date,
): StoredLife | null {
  if (life === null) return newLife([said], cap, now)
  const settings = settleLife([said, life], cap)
  const { lifetimeSeconds, idleSeconds } = settings
  if (lifetimeSeconds === null && idleSeconds === null) return null
  const ends = lifetimeSeconds === null ? null : later(life.beganAt, lifetimeSeconds).toISOString()
  return {
    ...life,
    ...settings,
    cap,
    endsAt: said.lifetimeSeconds === undefined ? life.endsAt : ends,
    activeAt: now.toISOString(),
    keptUntil: said.idleSeconds === undefined ? life.keptUntil : null,
    announced: {},
  }
}

/** In seconds; a lifetime that was put off is as long as it has become. */
export function spanOf(life: StoredLife, cause: LifeCause): number {
  if (cause === 'idle') return life.idleSeconds ?? 0
  const milliseconds = life.endsAt === null ? 0 : Date.parse(life.endsAt) - Date.parse(life.beganAt)
  return Math.round(milliseconds / 1000)
}
export const thenOf = (life: LifeSettings, cause: LifeCause): LifeThen =>
  cause === 'lifetime' ? life.lifetimeThen : life.idleThen

export function later(time: Date | string, seconds: number): Date {
  return new Date(new Date(time).getTime() + seconds * 1000)
}

/** Somebody uses the machine, or did at that time. Nothing that is ahead of now is believed. */
export function activeAt(life: StoredLife, time: Date, now: Date): StoredLife {
  const at = Math.min(time.getTime(), now.getTime())
  return at <= Date.parse(life.activeAt) ? life : { ...life, activeAt: new Date(at).toISOString() }
}

/** What a runner says of the use of its machine. */
export function watched(life: StoredLife, secondsAgo: number | null, now: Date): StoredLife {
  const seen = secondsAgo === null ? life : activeAt(life, later(now, -secondsAgo), now)
  return { ...seen, watchedAt: now.toISOString() }
}

/** Whoever begins to run, or is heard of again, counts as used from then. */
export function lifeAfterMove(
  life: StoredLife | null,
  from: { phase: EnvironmentPhase },
  phase: EnvironmentPhase,
  now: Date,
): StoredLife | null {
  if (life === null || phase !== 'running' || from.phase === 'running') return life
  return { ...activeAt(life, now, now), over: null }
}

/** How far the clocks of two control planes may be apart. */
const toleranceMilliseconds = 2_000

/**
 * The life as it would be had the clock always been right. What is ahead of now was written while a clock ran ahead that
 * has been set back since: a life that began so begins and ends that much earlier, and what is said to have happened
 * later than now has not. The same object where nothing is ahead.
 */
export function withoutFuture(life: StoredLife, now: Date): StoredLife {
  const isAhead = (time: string | null | undefined): time is string =>
    time != null && Date.parse(time) > now.getTime() + toleranceMilliseconds
  const announced = Object.entries(life.announced).filter(([, { at }]) => !isAhead(at))
  const isSettled =
    ![life.beganAt, life.activeAt, life.watchedAt].some(isAhead) &&
    announced.length === Object.keys(life.announced).length
  if (isSettled) return life
  const aheadSeconds = isAhead(life.beganAt) ? (Date.parse(life.beganAt) - now.getTime()) / 1000 : 0
  const moved = (time: string | null) => time && later(time, -aheadSeconds).toISOString()
  return {
    ...life,
    beganAt: later(life.beganAt, -aheadSeconds).toISOString(),
    endsAt: moved(life.endsAt),
    keptUntil: moved(life.keptUntil),
    activeAt: isAhead(life.activeAt) ? now.toISOString() : life.activeAt,
    watchedAt: isAhead(life.watchedAt) ? null : life.watchedAt,
    announced: Object.fromEntries(announced),
  }
}

/** Whether the machine may not run any more unless its end is put off. */
export function isLifetimeOver(life: StoredLife | null, now: Date): boolean {
  return life?.endsAt != null && Date.parse(life.endsAt) <= now.getTime()
}
