import { longestLifeSeconds } from '@hearth/contract'
import { later, type StoredLife } from './life.ts'

export type Extended =
  | { life: StoredLife }
  /** The most that it may be put off by; 0 for not at all. Without a cap, none lives for longer than `longestLifeSeconds` from now. */
  | { mostSeconds: number; cap: 'lifetime' | 'idle' | 'none'; capSeconds: number }

/**
 * The life with its ends put off: the lifetime's by so many seconds, counted from now where it is over; idleness does not
 * end it for so many seconds from now. Neither goes beyond the cap, or ten years from now.
 */
export function extendLife(life: StoredLife, seconds: number, now: Date): Extended {
  const { cap } = life
  const extended = { ...life }
  if (life.endsAt !== null) {
    const from = new Date(Math.max(Date.parse(life.endsAt), now.getTime()))
    const endsAt = later(from, seconds)
    const last =
      cap.lifetimeSeconds === null ? later(now, longestLifeSeconds) : later(life.beganAt, cap.lifetimeSeconds)
    if (endsAt > last) {
      const mostSeconds = Math.max(0, Math.floor((last.getTime() - from.getTime()) / 1000))
      return cap.lifetimeSeconds === null
        ? { mostSeconds, cap: 'none', capSeconds: longestLifeSeconds }
        : { mostSeconds, cap: 'lifetime', capSeconds: cap.lifetimeSeconds }
    }
    extended.endsAt = endsAt.toISOString()
  }
  if (life.idleSeconds !== null) {
    const most = cap.idleSeconds ?? seconds
    if (life.endsAt === null && seconds > most) return { mostSeconds: most, cap: 'idle', capSeconds: most }
    const keptUntil = later(now, Math.min(seconds, most))
    if (life.keptUntil === null || keptUntil > new Date(life.keptUntil))
      extended.keptUntil = keptUntil.toISOString()
  }
  return { life: extended }
}
