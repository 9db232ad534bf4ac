import {
  type DesiredPhase,
  type EnvironmentPhase,
  type LifeCause,
  type LifeThen,
  lifeCauseSchema,
  warningSeconds,
} from '@hearth/contract'
import { later, type StoredLife, spanOf, thenOf } from './life.ts'

/** A machine's life and what its next end depends on. */
export interface SeenLife {
  life: StoredLife | null
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  /** Whether its runner is silent. */
  unreachable: boolean
}

/** An end that is to come. */
export interface LifeEnd {
  cause: LifeCause
  follows: LifeThen
  spanSeconds: number
  /** When the span is over. */
  due: Date
  /** When it is announced. */
  warnsAt: Date
  /** When it comes: an end that was announced late comes later. */
  endsAt: Date
  /** When it was announced; null while it is not. */
  announcedAt: Date | null
}

export type LifeAction = { do: 'announce' | 'end'; end: LifeEnd }

/** The ends that the machine has before it as it stands, the nearest first. */
export function endsOf(seen: SeenLife, now: Date): LifeEnd[] {
  const { life, desiredPhase, phase } = seen
  if (life === null || desiredPhase === 'deleted' || phase === 'deleted') return []
  const ends = lifeCauseSchema.options.flatMap((cause) => {
    const due = dueOf(life, cause)
    if (due === null || !isAhead(seen, cause, thenOf(life, cause))) return []
    const spanSeconds = spanOf(life, cause)
    const notice = warningSeconds(spanSeconds)
    const announced = life.announced[cause]
    const announcedAt = announced?.due === due.toISOString() ? new Date(announced.at) : null
    const warnsAt = later(due, -notice)
    const noticed = later(announcedAt ?? latest(now, warnsAt), notice)
    const endsAt = latest(noticed, due)
    return [{ cause, follows: thenOf(life, cause), spanSeconds, due, warnsAt, endsAt, announcedAt }]
  })
  return ends.sort((one, other) => one.endsAt.getTime() - other.endsAt.getTime())
}

const latest = (one: Date, other: Date) => new Date(Math.max(one.getTime(), other.getTime()))

/** When a span is over, whatever the machine does. */
function dueOf(life: StoredLife, cause: LifeCause): Date | null {
  if (cause === 'lifetime') return life.endsAt === null ? null : new Date(life.endsAt)
  if (life.idleSeconds === null) return null
  const unused = later(life.activeAt, life.idleSeconds)
  return life.keptUntil === null ? unused : latest(new Date(life.keptUntil), unused)
}

/** Whether the end would change anything: what rests already is not put to rest, and only what runs can be unused. */
function isAhead(
  { phase, desiredPhase, unreachable }: SeenLife,
  cause: LifeCause,
  follows: LifeThen,
): boolean {
  const runs = phase === 'running' && desiredPhase === 'running'
  // Nobody can say whether a machine is used whose runner is silent.
  if (cause === 'idle') return runs && !unreachable
  return follows === 'delete' || runs
}

/** The next thing to do about the machine's life, and when to look again. */
export function decideLife(seen: SeenLife, now: Date): { action: LifeAction | null; wakeAt: Date | null } {
  const ends = endsOf(seen, now)
  const known = ends.filter((end) => isKnown(seen.life, end, now))
  const over = known.find(({ announcedAt, endsAt }) => announcedAt !== null && endsAt <= now)
  if (over !== undefined) return { action: { do: 'end', end: over }, wakeAt: null }
  const near = known.find(({ announcedAt, warnsAt }) => announcedAt === null && warnsAt <= now)
  if (near !== undefined) return { action: { do: 'announce', end: near }, wakeAt: null }
  const times = ends
    .map(({ announcedAt, warnsAt, endsAt }) => (announcedAt === null ? warnsAt : endsAt))
    // What waits for its runner's word is looked at when that comes.
    .filter((time) => time > now)
  return {
    action: null,
    wakeAt: times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime()))),
  }
}

/** Whether it is known to be unused until its end, or the announcement of it: a lifetime needs nobody's word. */
function isKnown(
  life: StoredLife | null,
  { cause, warnsAt, endsAt, announcedAt }: LifeEnd,
  now: Date,
): boolean {
  if (cause === 'lifetime') return true
  const until = announcedAt === null ? warnsAt : endsAt
  return until <= now && life?.watchedAt != null && Date.parse(life.watchedAt) >= until.getTime()
}
