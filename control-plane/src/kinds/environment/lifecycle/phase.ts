import { isDeepStrictEqual } from 'node:util'
import {
  type EnvironmentPhase,
  environmentPhaseTable,
  type Failure,
  mayMove,
  type Pause,
  speaksAgainstHost,
} from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type Wake, wakeMany } from '../../../reconciling/wake.ts'
import { recordEvents } from '../../../resource/record.ts'
import { continueJobs, type JobContinuation } from '../../job/index.ts'
import { projectsThatWait } from '../../project/index.ts'
import { poolsThatWait } from '../../quota/index.ts'
import { decideLife } from '../life/ends.ts'
import { lifeAfterMove, type StoredLife } from '../life/life.ts'
import { lifeOf, toLifeStatus } from '../life/status.ts'
import { wakesOfOwner } from '../owner-rules.ts'
import { rests } from '../placing/at-rest.ts'
import { type EnvironmentRow, type StoredEnvironmentStatus, toListedEnvironment } from '../table.ts'
import { bootEnd } from './boot-end.ts'
import { declaredIn, declaresProcesses } from './declared.ts'
import { timerOf } from './timer.ts'

export interface PhaseChange {
  phase: EnvironmentPhase
  status?: StoredEnvironmentStatus
  /** null removes it from its runner. */
  runnerId?: string | null
  /** Without it the guest of a phase in which one may be there stands as it stood. */
  paused?: Pause | null
  /** Without it, as it was; use alone is no news. */
  life?: StoredLife | null
  /** The report's epoch and sequence, when a report made this change. */
  report?: { epoch: number; sequence: number }
  now: Date
}

/** One decided change of one environment, not yet written. */
export interface PhaseMove {
  before: EnvironmentRow
  after: EnvironmentRow
  /** Whether a runner's report caused the change, and not a decision of the control plane. */
  reported: boolean
  now: Date
}

/** The row after the change, with the new phase's deadline. Throws for a move that is not in the phase table. */
export function decideMove(before: EnvironmentRow, change: PhaseChange): PhaseMove {
  const { phase, report, now } = change
  const moves = phase !== before.phase
  if (moves && !mayMove(before.phase, phase))
    throw new Error(`environment ${before.id} may not move from ${before.phase} to ${phase}`)
  const { deadlineSeconds } = environmentPhaseTable[phase]
  const placed =
    report === undefined ? {} : { report_epoch: report.epoch, report_sequence: `${report.sequence}` }
  const after = { ...before, ...placed }
  after.life = lifeAfterMove(change.life === undefined ? before.life : change.life, before, phase, now)
  const reported = report !== undefined
  const paused = mayHaveGuest[phase] ? (change.paused === undefined ? before.paused : change.paused) : null
  // A report without news only updates the sequence, so that earlier reports are refused.
  const same =
    isDeepStrictEqual(change.status ?? before.status, before.status) &&
    isDeepStrictEqual(paused, before.paused) &&
    warningOf(after) === warningOf(before)
  if (reported && !moves && same) return { before, after, reported, now }
  after.phase = phase
  after.paused = paused
  after.status = statusAfter(before, change, moves)
  after.status_version = before.status_version + 1
  after.updated_at = now
  after.has_processes = before.has_processes || declaresProcesses(declaredIn(after))
  if (change.runnerId !== undefined && change.runnerId !== before.runner_id) {
    if (before.runner_id !== null) after.status = withFormer(after.status, before.runner_id)
    after.runner_id = change.runnerId
    // Epochs and sequences are counted by each runner for itself.
    after.report_epoch = 0
    after.report_sequence = '0'
  }
  if (moves) {
    after.phase_since = now
    Object.assign(after, bootEnd(before, phase, now))
    after.deadline = deadlineSeconds === null ? null : new Date(now.getTime() + deadlineSeconds * 1000)
  }
  return { before, after, reported, now }
}

/** The announced end, as a text; empty for none. */
function warningOf(row: EnvironmentRow): string {
  return toLifeStatus(lifeOf(row))?.warning?.endsAt ?? ''
}

/**
 * Moves one environment: the row, its event and its job's end are written, and whoever waits for it is woken. The row
 * must have been read under lock.
 */
export async function movePhase(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  change: PhaseChange,
): Promise<EnvironmentRow> {
  const move = decideMove(row, change)
  await writeMoves(tx, [move])
  return move.after
}

/**
 * The only place that writes a phase: any number of moves in the order given, several of one environment too. The rows
 * must have been read under lock.
 */
export async function writeMoves(tx: DatabaseTransaction, moves: readonly PhaseMove[]): Promise<void> {
  if (moves.length === 0) return
  await updateRows(tx, moves)
  const visible = moves.filter(({ before, after }) => after.status_version !== before.status_version)
  await recordEvents(
    tx,
    visible.map(({ after }) => ({
      verb: after.phase === 'deleted' ? 'deleted' : 'updated',
      resource: toListedEnvironment(after),
    })),
  )
  const moved = visible.filter(({ before, after }) => after.phase !== before.phase)
  await continueJobs(tx, moved.flatMap(jobEnds))
  const paused = visible.filter(
    ({ before, after }) =>
      after.phase === before.phase && (after.paused === null) !== (before.paused === null),
  )
  const wakes = [...moved, ...paused].flatMap(dependents)
  // Only now has its runner said that nobody uses it.
  const near = moves.filter(({ after, now }) => decideLife(lifeOf(after), now).action !== null)
  wakes.push(...near.map(({ after }) => ({ kind: 'environment' as const, id: after.id })))
  wakes.push(...visible.flatMap(claimToBind))
  const withRoom = moved.filter(({ after }) => makesRoom.has(after.phase))
  const organizations = withRoom.map(({ after }) => after.organization_id)
  const deleted = moved.filter(({ after }) => after.phase === 'deleted').map(({ after }) => after.project_id)
  const waiting = await Promise.all([poolsThatWait(tx, organizations), projectsThatWait(tx, deleted)])
  await wakeMany(tx, [...wakes, ...waiting.flat()])
}

async function updateRows(tx: DatabaseTransaction, moves: readonly PhaseMove[]): Promise<void> {
  const changes = new Map<string, Record<string, unknown>>()
  for (const { before, after } of moves) {
    const { id, phase, status, status_version, updated_at, phase_since, deadline, runner_id } = after
    const { report_epoch, report_sequence, boot_ended_at, remove_at, paused, life } = after
    const { spec_version, desired_phase, deletion, has_processes } = after
    const seen_version = changes.get(id)?.seen_version ?? before.status_version
    const row = { id, phase, status, status_version, updated_at, phase_since, deadline, runner_id }
    const seen = { report_epoch, report_sequence, boot_ended_at, remove_at, paused, life, seen_version }
    changes.set(id, { ...row, ...seen, spec_version, desired_phase, deletion, has_processes })
  }
  const { numAffectedRows } = await sql`
    UPDATE environments AS row SET phase = change.phase, status = change.status,
      status_version = change.status_version, updated_at = change.updated_at, phase_since = change.phase_since,
      deadline = change.deadline, runner_id = change.runner_id, report_epoch = change.report_epoch,
      report_sequence = change.report_sequence, boot_ended_at = change.boot_ended_at,
      remove_at = change.remove_at, paused = change.paused, spec_version = change.spec_version,
      desired_phase = change.desired_phase, deletion = change.deletion, life = change.life,
      has_processes = change.has_processes
    FROM json_to_recordset(${JSON.stringify([...changes.values()])}::json) AS change(id uuid, phase text,
      status jsonb, status_version integer, updated_at timestamptz, phase_since timestamptz, deadline timestamptz,
      runner_id uuid, report_epoch integer, report_sequence bigint, boot_ended_at timestamptz,
      remove_at timestamptz, paused jsonb, spec_version integer, desired_phase text, deletion jsonb,
      life jsonb, has_processes boolean, seen_version integer)
    WHERE row.id = change.id AND row.status_version = change.seen_version`.execute(tx)
  if (Number(numAffectedRows) !== changes.size)
    throw new Error('an environment was moved that had not been read under lock')
}

const mayHaveGuest: Record<EnvironmentPhase, boolean> = {
  pending: false,
  provisioning: true,
  running: true,
  stopping: true,
  stopped: false,
  starting: true,
  suspending: true,
  suspended: false,
  resuming: true,
  failed: false,
  deleting: false,
  deleted: false,
}

/** Most former runners remembered for an environment. */
const mostFormer = 8

function withFormer(status: StoredEnvironmentStatus, runnerId: string): StoredEnvironmentStatus {
  const others = (status.formerRunnerIds ?? []).filter((id) => id !== runnerId)
  return { ...status, formerRunnerIds: [...others, runnerId].slice(-mostFormer) }
}

function statusAfter(row: EnvironmentRow, change: PhaseChange, moves: boolean): StoredEnvironmentStatus {
  const status = change.status ?? row.status
  return moves && change.phase === 'failed' ? { ...status, failedAt: change.now.toISOString() } : status
}

/** How soon an owner's counts, which are read anew by whoever asks, are told to observers. */
const countMilliseconds = 1_000

/** Phases in which an environment uses less of its quotas. */
const makesRoom: ReadonlySet<EnvironmentPhase> = new Set(['deleted', 'stopped', 'suspended', 'failed'])

function dependents(move: PhaseMove): Wake[] {
  const { before, after: row } = move
  const wakes: Wake[] = [...wakesOfItself(move), ...wakesOfOwnerAfter(move)]
  if (row.has_processes) wakes.push({ kind: 'process', id: row.id })
  if (row.has_routes) wakes.push({ kind: 'route', id: row.id })
  if (row.has_web_app) wakes.push({ kind: 'web-app', id: row.id })
  if (row.has_volumes && row.phase === 'deleted') wakes.push({ kind: 'attachment', id: row.id })
  if (row.claim_id !== null && !isUnderway(row)) wakes.push({ kind: 'claim', id: row.claim_id })
  if (row.runner_id !== null && row.phase === 'failed' && speaksAgainstHost(row.status.failure))
    wakes.push({ kind: 'runner', id: row.runner_id })
  // It counts the machines that could not start from it.
  const prebuild = row.source?.prebuild
  if (prebuild !== undefined && before.boot_ended_at === null && row.boot_ended_at !== null)
    wakes.push({ kind: 'prebuild', id: prebuild.id })
  // Its host has room for another now.
  if (row.phase !== before.phase && rests(row)) wakes.push({ kind: 'placement', id: row.organization_id })
  if (row.phase !== 'deleted') return wakes
  if (row.runner_id !== null) wakes.push({ kind: 'placement', id: row.organization_id })
  return wakes
}

/** The claim that follows how it is bound. */
function claimToBind({ before, after }: PhaseMove): Wake[] {
  const isSame = isDeepStrictEqual(before.status.binding ?? null, after.status.binding ?? null)
  return isSame || after.claim_id === null ? [] : [{ kind: 'claim', id: after.claim_id }]
}

/** A claim that was bound waits for the end of its machine's deletion, not for its beginning. */
const isUnderway = ({ phase, status }: EnvironmentRow) => phase === 'deleting' && status.readyAt !== null

/** Where its reconciler would find nothing to do, it has only the deadline to watch. */
function wakesOfItself({ after: row, reported, now }: PhaseMove): Wake[] {
  const { id, phase } = row
  if (phase === 'deleted') return []
  const isOrdered = phase === 'deleting' || (phase === 'provisioning' && row.desired_phase === 'running')
  if (!isOrdered && (!reported || row.desired_phase === 'deleted')) return [{ kind: 'environment', id }]
  const timer = timerOf(row, now)
  return timer === null ? [] : [{ kind: 'environment', id, at: timer }]
}

/** Of one that is claimed its owner counts only how its boot ended and that it is there. */
function wakesOfOwnerAfter({ before, after: row }: PhaseMove): Wake[] {
  const isBootEnd = before.boot_ended_at === null && row.boot_ended_at !== null
  if (row.claim_id === null || isBootEnd) return wakesOfOwner(row)
  return row.phase === 'deleted'
    ? wakesOfOwner(row).map((wake) => ({ ...wake, within: countMilliseconds }))
    : []
}

function jobEnds({ before, after: row, now }: PhaseMove): JobContinuation[] {
  const time = now.toISOString()
  const failure = row.status.failure
  const provision = (
    level: 'info' | 'error',
    message: string,
    phase: 'succeeded' | 'failed' | 'cancelled',
  ): JobContinuation => ({
    operation: 'environment.provision',
    id: row.id,
    entries: [{ time, level, message }],
    end: { phase, failure: phase === 'failed' ? failure : null, at: now },
  })
  const unwanted = provision('info', 'the environment is not wanted any more', 'cancelled')
  switch (row.phase) {
    case 'running':
      return [provision('info', 'the environment is ready', 'succeeded')]
    case 'failed':
      return [provision('error', failure?.message ?? 'it failed', 'failed')]
    case 'deleting':
      // That of one that runs has ended.
      return before.phase === 'running' ? [] : [unwanted]
    case 'deleted':
      return [
        ...(before.phase === 'deleting' ? [] : [unwanted]),
        {
          operation: 'environment.delete',
          id: row.id,
          entries: [{ time, level: 'info', message: 'the environment is gone' }],
          end: { phase: 'succeeded', failure: null, at: now },
        },
      ]
    case 'pending':
    case 'provisioning':
    case 'stopping':
    case 'stopped':
    case 'starting':
    case 'suspending':
    case 'suspended':
    case 'resuming':
      return []
    default:
      return row.phase satisfies never
  }
}

/** The failure as stored in the status. */
export function withFailure(status: StoredEnvironmentStatus, failure: Failure): StoredEnvironmentStatus {
  return { ...status, failure }
}
