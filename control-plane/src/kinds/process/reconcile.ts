import { processWork } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { type EnvironmentRow, environments } from '../environment/index.ts'
import { decide, type ProcessAction, type SeenMachine, type SeenProcess } from './decide.ts'
import { declareProcesses } from './declared.ts'
import { dependenciesOf } from './dependencies.ts'
import { lockProcessesOf } from './queries.ts'
import type { ProcessRow } from './table.ts'
import { changeProcess, failProcess, removeProcess } from './write.ts'

/** Sees to all processes of one environment, by whose id it is woken. */
export const processReconciler: Reconciler = {
  kind: 'process',
  async reconcile(environmentId, { tx, clock }) {
    const environment = await environments.lockById(tx, environmentId)
    if (environment === undefined) return null
    const now = clock.now()
    const rows = await lockProcessesOf(tx, environmentId)
    rows.push(...(await declareProcesses(tx, environment, rows, now)))
    const left = await settleProcesses(tx, environment, rows, now)
    const times = left.flatMap(timesOf).filter((time) => time > now)
    return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
  },
}

const timesOf = ({ deadline, next_run_at }: ProcessRow): Date[] =>
  [deadline, next_run_at].filter((time) => time !== null)

/**
 * Does what follows from what is wanted and seen of the processes of an environment, until nothing does. The rows must
 * have been read under lock. Returns those that are left.
 */
export async function settleProcesses(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly ProcessRow[],
  now: Date,
): Promise<ProcessRow[]> {
  if (rows.length === 0) return []
  const machine = await lookAtMachine(tx, environment)
  const left = [...rows]
  // Each process takes a few steps at most, and what depends on it as many after it.
  for (let step = 0; step < 8 * (rows.length + 1); step += 1) {
    const seen = left.map((row) => lookAt(row, left))
    const index = seen.findIndex((one) => decide(one, machine, now) !== null)
    const row = left[index]
    const one = seen[index]
    if (row === undefined || one === undefined) return left
    const action = decide(one, machine, now)
    if (action === null) continue
    const after = await carryOut(tx, row, machine, action, now)
    if (after === null) left.splice(index, 1)
    else left[index] = after
  }
  throw new Error(`the processes of environment ${environment.id} do not settle`)
}

async function lookAtMachine(tx: DatabaseTransaction, row: EnvironmentRow): Promise<SeenMachine> {
  const runner =
    row.runner_id === null
      ? undefined
      : await tx
          .selectFrom('runners')
          .select([
            'name',
            'work_kinds',
            sql<boolean | null>`(status->'facts'->>'bringsInputs')::boolean`.as('brings_inputs'),
          ])
          .where('id', '=', row.runner_id)
          .executeTakeFirst()
  return {
    name: row.name,
    phase: row.phase,
    desiredPhase: row.desired_phase,
    unreachable: row.unreachable,
    runnerId: row.runner_id,
    runner: runner?.name ?? null,
    isAble: runner?.work_kinds?.includes(processWork.kind) ?? false,
    bringsInputs: runner?.brings_inputs ?? false,
    incarnation: incarnationOf(row),
  }
}

/** The first start is the first, from whatever. */
const incarnationOf = ({ source }: EnvironmentRow): number => source?.incarnation ?? 1

function lookAt(row: ProcessRow, all: readonly ProcessRow[]): SeenProcess {
  const { spec, status } = row
  return {
    name: row.name,
    kind: row.kind,
    phase: row.phase,
    desired: row.desired,
    runnerId: row.runner_id,
    dependencies: dependenciesOf({ kind: row.kind, dependsOn: spec.dependsOn }, all),
    incarnation: status.incarnation ?? null,
    isKept: spec.restart.policy !== 'never',
    readiness: spec.kind === 'service' ? spec.readiness : null,
    hasInputs: (spec.inputs?.length ?? 0) > 0,
    schedule: spec.kind === 'task' ? spec.schedule : null,
    nextRunAt: row.next_run_at,
    isQueued: status.isQueued,
    deadline: row.deadline,
    waitsFor: status.waitsFor,
  }
}

/** Resolves with the row as it is then; null when it is gone. */
async function carryOut(
  tx: DatabaseTransaction,
  row: ProcessRow,
  machine: SeenMachine,
  action: ProcessAction,
  now: Date,
): Promise<ProcessRow | null> {
  switch (action.do) {
    case 'remove':
      await removeProcess(tx, row)
      return null
    case 'fail':
      return failProcess(tx, row, action.failure, now)
    case 'move':
      return changeProcess(tx, row, { phase: action.to, now })
    case 'wait':
      return changeProcess(tx, row, { status: { waitsFor: action.waitsFor }, now })
    case 'order':
      return changeProcess(tx, row, {
        phase: 'starting',
        deadline: action.deadline,
        runnerId: machine.runnerId,
        status: { incarnation: machine.incarnation },
        now,
      })
    case 'take-back':
      return changeProcess(tx, row, { phase: 'pending', runnerId: null, now })
    case 'postpone':
      return changeProcess(tx, row, { deadline: action.deadline, now })
    case 'schedule':
      return followSchedule(tx, row, action, now)
    case 'release':
      return changeProcess(tx, row, { deadline: null, now })
    case 'begin-again':
      return changeProcess(tx, row, { ...asked, status: { failure: null }, now })
    case 'start-queued':
      return changeProcess(tx, row, { ...asked, status: { failure: null, isQueued: false }, now })
    default:
      return assertNever(action)
  }
}

const asked = { phase: 'pending', isAsked: true } as const

function followSchedule(
  tx: DatabaseTransaction,
  row: ProcessRow,
  { nextRunAt, also }: Extract<ProcessAction, { do: 'schedule' }>,
  now: Date,
): Promise<ProcessRow> {
  switch (also) {
    case 'nothing':
      return changeProcess(tx, row, { nextRunAt, now })
    case 'queue':
      return changeProcess(tx, row, { nextRunAt, status: { isQueued: true }, now })
    case 'start':
    case 'replace':
      // Its runner ends the run that it has before it begins another.
      return changeProcess(tx, row, { ...asked, nextRunAt, status: { failure: null }, now })
    default:
      return assertNever(also)
  }
}
