import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { activePhases } from '../decide.ts'
import { withDependencies } from '../dependencies.ts'
import { settleProcesses } from '../reconcile.ts'
import type { ProcessRow } from '../table.ts'
import { changeProcess } from '../write.ts'

/** Asks for another run of the given ones, and for a run of what they depend on that is neither done nor on its way. */
export async function startTogether(
  tx: DatabaseTransaction,
  rows: readonly ProcessRow[],
  wanted: readonly ProcessRow[],
  now: Date,
): Promise<ProcessRow[]> {
  const linked = rows.map(({ name, spec }) => ({ name, dependsOn: spec.dependsOn }))
  const names = wanted.map(({ name }) => name)
  const together = withDependencies(names, linked).filter((name) => {
    const row = rows.find((one) => one.name === name)
    return row !== undefined && (names.includes(name) || !isThere(row))
  })
  const after: ProcessRow[] = []
  for (const row of rows) {
    const isStarted = together.includes(row.name)
    after.push(isStarted ? await ask(tx, row, now) : row)
  }
  return after
}

async function ask(tx: DatabaseTransaction, row: ProcessRow, now: Date): Promise<ProcessRow> {
  const wanted =
    row.desired === 'run'
      ? row
      : await tx
          .updateTable('processes')
          .set({ desired: 'run' })
          .where('id', '=', row.id)
          .returningAll()
          .executeTakeFirstOrThrow()
  return changeProcess(tx, wanted, {
    phase: 'pending',
    isAsked: true,
    status: { failure: null, restarts: 0, isQueued: false },
    now,
  })
}

const isThere = ({ kind, phase, desired }: ProcessRow) =>
  desired === 'run' && (activePhases.has(phase) || (kind === 'task' && phase === 'succeeded'))

/** Does what follows at once, so that whoever asked need not wait for a reconcile; timers are the reconciler's. */
export async function settleNow(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly ProcessRow[],
  id: string,
  now: Date,
): Promise<ProcessRow> {
  const left = await settleProcesses(tx, environment, rows, now)
  await wake(tx, 'process', environment.id)
  const row = left.find((one) => one.id === id) ?? rows.find((one) => one.id === id)
  if (row === undefined) throw new Error(`process ${id} is not one of environment ${environment.id}`)
  return row
}
