import type { LifeStatus } from '@hearth/contract'
import { endsOf, type SeenLife } from './ends.ts'

/** The life as shown; null for a machine that has no end. */
export function toLifeStatus(seen: SeenLife): LifeStatus | null {
  const { life } = seen
  if (life === null) return null
  // As if long ago: an end that is announced too late is later only once that is done.
  const ends = endsOf(seen, new Date(0))
  const idle = ends.find(({ cause }) => cause === 'idle')
  const lifetime = ends.find(({ cause }) => cause === 'lifetime')
  const announced = ends.find(({ announcedAt }) => announcedAt !== null)
  return {
    lifetimeSeconds: life.lifetimeSeconds,
    lifetimeThen: life.lifetimeThen,
    idleSeconds: life.idleSeconds,
    idleThen: life.idleThen,
    beganAt: life.beganAt,
    endsAt: lifetime?.endsAt.toISOString() ?? life.endsAt,
    activeAt: life.activeAt,
    idleEndsAt: idle?.endsAt.toISOString() ?? null,
    watchedAt: life.watchedAt,
    warning:
      announced?.announcedAt == null
        ? null
        : {
            cause: announced.cause,
            follows: announced.follows,
            endsAt: announced.endsAt.toISOString(),
            at: announced.announcedAt.toISOString(),
          },
    over: life.over,
  }
}

/** What of a row its life depends on. */
export function lifeOf(row: {
  life: SeenLife['life']
  phase: SeenLife['phase']
  desired_phase: SeenLife['desiredPhase']
  unreachable: boolean
}): SeenLife {
  // Rows of fixtures and of older statements have no such column.
  return {
    life: row.life ?? null,
    phase: row.phase,
    desiredPhase: row.desired_phase,
    unreachable: row.unreachable,
  }
}

/** Of an environment that may be gone. */
export function lifeShown(row: Parameters<typeof lifeOf>[0] | undefined): LifeStatus | null {
  return row === undefined || row.phase === 'deleted' ? null : toLifeStatus(lifeOf(row))
}
