import type { CiLimits, Failure, SessionPhase, SessionTarget } from '@hearth/contract'
import { spokenTime } from '@hearth/foundation'
import { decideExit, earliest } from './exit.decide.ts'

/** The machine whose tasks and services are targets. */
export interface SeenMachine {
  /** Why nothing more is to be heard of what runs in it: it has failed, or is gone. null while it may be used. */
  error: string | null
}

export interface SeenSession {
  phase: SessionPhase
  desired: 'open' | 'ended'
  exitCondition: string
  ci: CiLimits | null
  detached: boolean
  startedAt: Date
  leaseEndsAt: Date | null
  done: boolean
  error: string | null
  failure: Failure | null
  /** What its caller has reported. */
  reported: readonly SessionTarget[]
  /** What Hearth sees by itself: tasks, services, pools. */
  derived: readonly SessionTarget[]
  /** null while it is about none. */
  machine: SeenMachine | null
  now: Date
}

/** What a session is after a look at it. */
export interface SettledSession {
  phase: SessionPhase
  reported: readonly SessionTarget[]
  targets: readonly SessionTarget[]
  done: boolean
  error: string | null
  failure: Failure | null
  /** null once no caller is waited for any more. */
  leaseEndsAt: Date | null
  /** When time alone may change it. */
  next: Date | null
}

/** What follows from what is wanted and seen of a session; null for one that has ended, which stays as it is. */
export function decide(seen: SeenSession): SettledSession | null {
  if (seen.phase === 'ended') return null
  const silence = silenceOf(seen)
  const reported =
    silence === null ? seen.reported : seen.reported.map((target) => cutOff(target, seen.now, silence))
  const targets = merged(reported, seen.derived)
  const exit = exitOf(seen, targets, silence)
  const isCallers = seen.exitCondition === 'manual'
  const isOver = exit.done || seen.desired === 'ended' || (silence !== null && isCallers)
  const isSilenced = silence !== null && (isCallers || exit.error === silence)
  // One that goes on after its caller waits for no other.
  const leaseEndsAt = isOver || silence !== null ? null : leaseOf(seen)
  return {
    phase: isOver ? 'ended' : 'open',
    reported,
    targets,
    done: exit.done,
    error: exit.error,
    failure: isSilenced ? { code: 'caller_silent', message: silence } : seen.failure,
    leaseEndsAt,
    next: isOver ? null : earliest([exit.next, leaseEndsAt]),
  }
}

/** Whether it is done: by its exit condition, or since nothing can meet that any more. Once done it stays so. */
function exitOf(seen: SeenSession, targets: readonly SessionTarget[], silence: string | null) {
  const { exitCondition, ci, startedAt, derived, machine, now } = seen
  if (seen.done) return { done: true, error: seen.error, next: null }
  const isNeeded = derived.some(({ state }) => state.kind !== 'disabled')
  const machineError = isNeeded ? (machine?.error ?? null) : null
  const exit = decideExit({ exitCondition, ci, startedAt, machineError, targets, now })
  if (exit.done || exitCondition === 'manual') return exit
  const ended = seen.desired === 'ended' ? 'it was ended before all its targets were well' : null
  const lost = machine?.error == null ? null : `the machine cannot be used: ${machine.error}`
  // Without a machine only the caller could have brought it on.
  const alone = machine === null ? silence : null
  const error = ended ?? lost ?? alone
  return error === null ? exit : { done: true, error, next: null }
}

const leaseOf = ({ detached, leaseEndsAt }: SeenSession) => (detached ? null : leaseEndsAt)

/** A sentence about a caller who no longer says that they live; null where they do, or need not. */
function silenceOf(seen: SeenSession): string | null {
  const end = leaseOf(seen)
  if (end === null || end > seen.now || seen.desired === 'ended') return null
  return `its caller went silent: it had to renew its lease by ${spokenTime(end)}`
}

/** What a silent caller had begun, or was to begin, is not heard of again. */
function cutOff(target: SessionTarget, now: Date, error: string): SessionTarget {
  const { state } = target
  if (state.kind !== 'waiting' && state.kind !== 'active') return target
  const startedAt = state.kind === 'active' ? state.startedAt : null
  return {
    ...target,
    state: { kind: 'terminated', startedAt, finishedAt: now.toISOString(), error, grace: null },
  }
}

/** In the order of their names. What Hearth sees by itself is right about what a caller reports under the same name. */
function merged(reported: readonly SessionTarget[], derived: readonly SessionTarget[]): SessionTarget[] {
  const byName = new Map([...reported, ...derived].map((target) => [target.name, target]))
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
