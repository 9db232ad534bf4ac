import type { CiLimits, SessionTarget, TargetState } from '@hearth/contract'
import { spanText } from '@hearth/foundation'

export interface ExitGround {
  /** As in the spec; one of a newer version is not known here. */
  exitCondition: string
  ci: CiLimits | null
  startedAt: Date
  /** Why the machine that targets run in cannot be used; null while it can, or where none of them needs it. */
  machineError: string | null
  /** In the order of their names. */
  targets: readonly SessionTarget[]
  now: Date
}

export interface Exit {
  done: boolean
  error: string | null
  /** When time alone may change the answer; null for never. */
  next: Date | null
}

type Active = Extract<TargetState, { kind: 'active' }>

/** Whether a session's exit condition is met, and what went wrong; the first rule that says so counts. */
export function decideExit(ground: ExitGround): Exit {
  const { exitCondition, machineError, targets } = ground
  if (exitCondition === 'manual') return open(null)
  if (exitCondition !== 'ci') return done(`unsupported exit condition: ${exitCondition}`)
  if (machineError !== null) return done(`the machine cannot be used: ${machineError}`)
  const failed = firstError(targets)
  if (failed !== null) return done(failed)
  const unfinished = unfinishedOf(targets)
  // The first target is the reading of the file itself, which says what the others are.
  if (unfinished.all.length === 0 && targets.length > 1) return done(null)
  return late(ground, unfinished)
}

const open = (next: Date | null): Exit => ({ done: false, error: null, next })
const done = (error: string | null): Exit => ({ done: true, error, next: null })

/** Of the first target that has failed for good. */
function firstError(targets: readonly SessionTarget[]): string | null {
  for (const { state } of targets) {
    if (state.kind !== 'terminated' || state.error === null || state.grace === 'tolerated') continue
    return state.grace === 'exceeded' ? `exceeded grace period: ${state.error}` : state.error
  }
  return null
}

interface Unfinished {
  waiting: string[]
  notReady: string[]
  retrying: string[]
  all: string[]
}

/** The targets that are not well yet, by what they do. Those that are not asked to run are well. */
function unfinishedOf(targets: readonly SessionTarget[]): Unfinished {
  const named = (is: (target: SessionTarget) => boolean) => targets.filter(is).map(({ name }) => name)
  const waiting = named(({ state }) => state.kind === 'waiting')
  const notReady = named(({ type, state }) => state.kind === 'active' && !(state.ready && type === 'server'))
  const retrying = named(({ state }) => state.kind === 'terminated' && state.error !== null)
  return { waiting, notReady, retrying, all: [...waiting, ...notReady, ...retrying] }
}

/** Compares the time with what the session allows itself. */
function late({ ci, startedAt, targets, now }: ExitGround, unfinished: Unfinished): Exit {
  const readiness = ci?.readinessTimeoutSeconds ?? null
  const ends: Date[] = []
  for (const { name, type, state } of targets) {
    if (readiness === null || type === 'job' || state.kind !== 'active' || state.ready) continue
    const end = after(notReadySince(state), readiness)
    if (end <= now) return done(`Readiness timeout after ${spanText(readiness)}: target ${name} not ready`)
    ends.push(end)
  }
  const timeout = ci?.timeoutSeconds ?? null
  if (timeout !== null) {
    const end = after(startedAt, timeout)
    if (end <= now) return done(`Timeout after ${spanText(timeout)}: ${summary(unfinished)}`)
    ends.push(end)
  }
  return open(earliest(ends))
}

const notReadySince = ({ startedAt, lastReadyAt }: Active) => new Date(lastReadyAt ?? startedAt)
const after = (time: Date, seconds: number) => new Date(time.getTime() + seconds * 1_000)

export function earliest(times: readonly (Date | null)[]): Date | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : new Date(Math.min(...known.map((time) => time.getTime())))
}

/** `1 resources waiting (shop:update), 2 resources not ready (web:serve,cache:serve)` */
function summary({ waiting, notReady, retrying }: Unfinished): string {
  const parts = [
    { names: waiting, what: 'waiting' },
    { names: notReady, what: 'not ready' },
    { names: retrying, what: 'retrying' },
  ].filter(({ names }) => names.length > 0)
  if (parts.length === 0) return 'nothing was to be done'
  return parts.map(({ names, what }) => `${names.length} resources ${what} (${shown(names)})`).join(', ')
}

const mostNamed = 10

function shown(names: readonly string[]): string {
  const others = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ''
  return `${names.slice(0, mostNamed).join(',')}${others}`
}
