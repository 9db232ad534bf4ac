import type { PrebuildTask, QuotaLimits } from '@hearth/contract'
import { assertNever, type Clock } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { wake, wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { desirePhase, type EnvironmentRow, environments } from '../environment/index.ts'
import { beginPrebuildTasks, endServices, readAllowedFailures, readPrebuildTasks } from '../process/index.ts'
import { readSecrets } from '../project/index.ts'
import { readLimits } from '../quota/index.ts'
import { clearPrebuild } from './clear.ts'
import { decide, type PrebuildAction } from './decide.ts'
import { lookAtPrebuild } from './look.ts'
import { deadlineOf, movePrebuild, wakesOfOthers } from './phase.ts'
import { prebuilds, readSteps } from './queries.ts'
import { retireOldest } from './retention.ts'
import { freezePrebuild, readSnapshotBytes } from './snapshotting.ts'
import { startPrebuild } from './start.ts'
import { type PrebuildRow, toPrebuild } from './table.ts'
import { carryOutTemplate } from './templates/carry-out.ts'
import { warningsOf } from './warnings.ts'

interface Given {
  quotas: QuotaLimits
  encryption: Encryption
}

export const prebuildReconciler = (given: Given): Reconciler => ({
  kind: 'prebuild',
  async reconcile(id, { tx, clock, timings }) {
    const row = await prebuilds.lockById(tx, id)
    if (row === undefined) return null
    const now = clock.now()
    const action = decide(await lookAtPrebuild(tx, row, now))
    if (action === null) return earliest([row.deadline, ...retriesOf(row)])
    const after = await carryOut(tx, row, action, { ...given, clock })
    // It, or a template of it, waits for room.
    const waits = action.do === 'start' || (action.do === 'template' && action.action.do === 'boot')
    if (waits && after === row) return earliest([row.deadline, new Date(now.getTime() + timings.quotaRest)])
    return after.deadline
  },
})

async function carryOut(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  action: PrebuildAction,
  given: Given & { clock: Clock },
): Promise<PrebuildRow> {
  const { quotas, clock } = given
  const now = clock.now()
  switch (action.do) {
    case 'start':
      return startPrebuild(tx, row, quotas, now)
    case 'move':
      return move(tx, row, action.to, now)
    case 'run-tasks':
      await beginPrebuildTasks(tx, await lockMachine(tx, row), now)
      return withTasks(tx, row)
    case 'end-services':
      await endServices(tx, await lockMachine(tx, row), now)
      return row
    case 'stop': {
      const machine = await lockMachine(tx, row)
      const limits = await readLimits(tx, quotas, row.organization_id)
      await desirePhase(tx, machine, 'stopped', limits)
      const { source, status } = machine
      const from = status.startedFrom?.from
      const based_on_id = from === 'disk' ? (source?.prebuild?.id ?? null) : null
      const tasks = await tasksOf(tx, row)
      return movePrebuild(tx, row, { phase: 'stopping', columns: { based_on_id }, status: { tasks }, now })
    }
    case 'freeze': {
      const machine = await lockMachine(tx, row)
      const snapshot_id = await freezePrebuild(tx, clock, machine, { name: row.name, memory: false })
      const status = { warnings: await readWarnings(tx, row, machine, given) }
      return movePrebuild(tx, row, { phase: 'snapshotting', columns: { snapshot_id }, status, now })
    }
    case 'fail':
      return movePrebuild(tx, row, {
        phase: 'failed',
        failure: action.failure,
        status: { steps: await stepsOf(tx, row), tasks: await tasksOf(tx, row) },
        now,
      })
    case 'clear':
      await clearPrebuild(tx, row, now)
      return row
    case 'template':
      return carryOutTemplate(tx, row, action.action, given)
    case 'count-boots': {
      const counted = await prebuilds.changeStatus(tx, row.id, {
        failed_boots: action.boots.failed,
        unexplained_boots: action.boots.unexplained,
      })
      await recordEvent(tx, 'updated', toPrebuild(counted, null))
      await wakeMany(tx, [{ kind: 'prebuild', id: row.id }, ...(await wakesOfOthers(tx, row, ['completed']))])
      return counted
    }
    case 'remind': {
      await clearPrebuild(tx, row, now)
      const deadline = deadlineOf(row.phase, row.spec.timeoutSeconds, row.started_at, now)
      const status = { ...row.status, failure: action.failure }
      const reminded = await prebuilds.changeStatus(tx, row.id, { deadline, status })
      await recordEvent(tx, 'updated', toPrebuild(reminded, null))
      return reminded
    }
    default:
      return assertNever(action)
  }
}

async function move(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  phase: Extract<PrebuildAction, { do: 'move' }>['to'],
  now: Date,
): Promise<PrebuildRow> {
  switch (phase) {
    case 'running':
    case 'deleting':
    case 'deleted':
    case 'cancelled':
      return movePrebuild(tx, row, { phase, now })
    case 'cancelling':
      return movePrebuild(tx, row, {
        phase,
        status: { steps: await stepsOf(tx, row), tasks: await tasksOf(tx, row) },
        now,
      })
    case 'completed': {
      const bytes = await readSnapshotBytes(tx, row.snapshot_id)
      const completed = await movePrebuild(tx, row, {
        phase,
        status: { steps: await stepsOf(tx, row), bytes },
        now,
      })
      await retireOldest(tx, completed)
      return completed
    }
    default:
      return assertNever(phase)
  }
}

/** The steps of its machine, to be kept when that is gone. */
async function stepsOf(tx: DatabaseTransaction, { environment_id, status }: PrebuildRow) {
  if (environment_id === null) return status.steps
  return (await readSteps(tx, [environment_id])).get(environment_id) ?? status.steps
}

/** The same for the tasks that it runs. */
async function tasksOf(
  tx: DatabaseTransaction,
  { environment_id, status }: PrebuildRow,
): Promise<PrebuildTask[]> {
  const known = status.tasks ?? []
  if (environment_id === null) return known
  const there = await readPrebuildTasks(tx, environment_id)
  return there.length === 0 ? known : there
}

/** Once they are known, their log can be followed. */
async function withTasks(tx: DatabaseTransaction, row: PrebuildRow): Promise<PrebuildRow> {
  const status = { ...row.status, tasks: await tasksOf(tx, row) }
  const changed = await prebuilds.changeStatus(tx, row.id, { status })
  await recordEvent(tx, 'updated', toPrebuild(changed, null))
  await wake(tx, 'prebuild', row.id)
  return changed
}

async function readWarnings(
  tx: DatabaseTransaction,
  { project_id }: PrebuildRow,
  { id, status }: EnvironmentRow,
  { encryption }: Given,
): Promise<string[]> {
  const secrets = await readSecrets(tx, encryption, project_id)
  const { startedFrom = null, startReason = null } = status
  const started = startedFrom === null ? null : { ...startedFrom, reason: startedFrom.reason ?? startReason }
  return [...warningsOf({ secrets, startedFrom: started }), ...(await readAllowedFailures(tx, id))]
}

async function lockMachine(tx: DatabaseTransaction, row: PrebuildRow) {
  const machine =
    row.environment_id === null ? undefined : await environments.lockById(tx, row.environment_id)
  if (machine === undefined) throw new Error(`prebuild ${row.id} is ${row.phase} without a machine`)
  return machine
}

/** When templates that failed are tried again. */
const retriesOf = ({ phase, status }: PrebuildRow): Date[] =>
  phase !== 'completed'
    ? []
    : status.templates.flatMap(({ retryAt }) => (retryAt == null ? [] : [new Date(retryAt)]))

function earliest(times: readonly (Date | null)[]): Date | null {
  const known = times.filter((time) => time !== null).map((time) => time.getTime())
  return known.length === 0 ? null : new Date(Math.min(...known))
}
