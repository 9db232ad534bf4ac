import type { PrebuildTask, ProvisioningPlan } from '@hearth/contract'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import type { EnvironmentRow } from '../environment/index.ts'
import { activePhases } from './decide.ts'
import { dueAt, makeDeclared, readDeclared } from './declared.ts'
import { mergeDeclared } from './merge.ts'
import { allowedFailures, judgePrebuildTasks, type PrebuildTasks } from './prebuild-tasks.decide.ts'
import { lockProcessesOf, processes, readProcessesOf } from './queries.ts'
import { settleProcesses } from './reconcile.ts'
import { type ProcessRow, toListedProcess } from './table.ts'

export type { PrebuildTasks }

/** Whether a project has tasks that prebuilds run. What the files of its repositories declare is not known before a machine has them. */
export function hasPrebuildTasks({ processes }: Pick<ProvisioningPlan, 'processes'>): boolean {
  return dueAt(mergeDeclared(processes, [], []), 'prebuild', new Set()).length > 0
}

/** How far the tasks are that prebuilds run, in the machine that one is built on. */
export async function lookAtPrebuildTasks(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
): Promise<PrebuildTasks> {
  if (!environment.has_processes || environment.status.readyAt === null) return { state: 'done' }
  const due = dueAt(await readDeclared(tx, environment), 'prebuild', new Set())
  return judgePrebuildTasks(due, await readProcessesOf(tx, environment.id))
}

/** Begins them, with what they depend on. The row of the environment must have been read under lock. */
export async function beginPrebuildTasks(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  now: Date,
): Promise<void> {
  const due = dueAt(await readDeclared(tx, environment), 'prebuild', new Set())
  const rows = await lockProcessesOf(tx, environment.id)
  const made = await makeDeclared(tx, environment, { due, rows, now })
  await settleProcesses(tx, environment, [...rows, ...made], now)
  await wake(tx, 'process', environment.id)
}

/** Ends what still runs for them, so that its files are whole when the disk is frozen. */
export async function endServices(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  now: Date,
): Promise<void> {
  const rows: ProcessRow[] = []
  for (const row of await lockProcessesOf(tx, environment.id)) {
    const isEnding = row.desired !== 'run' || !activePhases.has(row.phase)
    const changed = isEnding ? row : await processes.changeSpec(tx, row.id, { desired: 'stop' })
    if (!isEnding) await recordEvent(tx, 'updated', toListedProcess(changed))
    rows.push(changed)
  }
  await settleProcesses(tx, environment, rows, now)
  await wake(tx, 'process', environment.id)
}

/** Of the tasks that failed without failing their prebuild, what is to be known. */
export async function readAllowedFailures(queryable: Queryable, environmentId: string): Promise<string[]> {
  return allowedFailures(await readProcessesOf(queryable, environmentId))
}

/** As a prebuild shows them, in the order in which they were made. */
export async function readPrebuildTasks(
  queryable: Queryable,
  environmentId: string,
): Promise<PrebuildTask[]> {
  const rows = await readProcessesOf(queryable, environmentId)
  return rows.map(({ id, kind, name, phase, status }) => ({ id, kind, name, phase, runs: status.runs }))
}
