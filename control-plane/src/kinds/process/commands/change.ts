import { HearthError } from '@hearth/foundation'
import type { Command, CommandContext } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { activePhases } from '../decide.ts'
import { lockEnvironmentOf } from '../place.ts'
import { lockProcessesOf, processes, processQueries } from '../queries.ts'
import { type ProcessKind, type ProcessRow, toListedProcess } from '../table.ts'
import { settleNow, startTogether } from './settle-now.ts'

/** A process under lock, with its environment and all processes of that. */
interface Found {
  environment: EnvironmentRow
  rows: ProcessRow[]
  row: ProcessRow
}
type Change = (tx: DatabaseTransaction, found: Found, now: Date) => Promise<readonly ProcessRow[]>

/** A command on one process; what follows for the others of its environment is done in the same transaction. */
function changing(
  kind: ProcessKind,
  change: Change,
  refuse: (row: ProcessRow) => void = refuseKept,
): Command<OnOne, ProcessRow> {
  return {
    async run(tx, context, { reference }) {
      const place = await lockForChange(tx, context, kind, reference)
      refuse(place.row)
      const now = context.services.clock.now()
      return settleNow(tx, place.environment, await change(tx, place, now), place.row.id, now)
    },
  }
}

/** A process that the caller may change, with all of its environment, under lock. */
export async function lockForChange(
  tx: DatabaseTransaction,
  { caller, expectedVersion }: CommandContext,
  kind: ProcessKind,
  reference: string,
): Promise<Found> {
  const { id, environment_id } = found(
    await processQueries[kind].find(tx, caller, reference),
    kind,
    reference,
  )
  const environment = await lockEnvironmentOf(tx, caller, environment_id)
  const rows = await lockProcessesOf(tx, environment_id)
  const row = found(
    rows.find((one) => one.id === id),
    kind,
    reference,
  )
  requireVersion(expectedVersion, row.spec_version)
  return { environment, rows, row }
}

/** Starts it, with what it depends on; one that runs already is left as it is. */
export const startProcess = (kind: ProcessKind) =>
  changing(kind, async (tx, { environment, rows, row }, now) => {
    refuseGoing(environment, row)
    if (row.desired === 'run' && activePhases.has(row.phase)) return rows
    return startTogether(tx, rows, [row], now)
  })

/** Ends the run that it has, if any, and starts another: of what is kept, only services that are to run. */
export const restartProcess = (kind: ProcessKind) =>
  changing(
    kind,
    async (tx, { environment, rows, row }, now) => {
      refuseGoing(environment, row)
      return startTogether(tx, rows, [row], now)
    },
    (row) => {
      if (row.kind !== 'service' || row.desired !== 'run') refuseKept(row)
    },
  )

/** Ends its run; one with a schedule is not run by that either until it is started again. */
export const stopProcess = (kind: ProcessKind) => stopProcessIf(kind, () => true)

export const stopProcessIf = (kind: ProcessKind, isMeant: (row: ProcessRow) => boolean) =>
  changing(kind, async (tx, { rows, row }) => {
    if (row.desired !== 'run' || !isMeant(row)) return rows
    return replaced(rows, await desire(tx, row, 'stop'))
  })

/** Ends its run, and forgets it with its runs. What its project declares comes and goes with the environment. */
export const deleteProcess = (kind: ProcessKind) =>
  changing(kind, async (tx, { rows, row }) => {
    if (row.spec.isDeclared)
      throw new HearthError(
        'conflict',
        row.spec.repository == null
          ? `${kind} ${row.name} is declared by its project: stop it, or take it out of the project`
          : `${kind} ${row.name} is declared by hearth.yaml of repository ${row.spec.repository}: stop it, or take it out of that file`,
      )
    if (row.desired === 'delete') return rows
    return replaced(rows, await desire(tx, row, 'delete'))
  })

async function desire(
  tx: DatabaseTransaction,
  row: ProcessRow,
  desired: 'stop' | 'delete',
): Promise<ProcessRow> {
  const changed = await processes.changeSpec(tx, row.id, {
    desired,
    status: { ...row.status, isQueued: false },
  })
  await recordEvent(tx, 'updated', toListedProcess(changed))
  return changed
}

const replaced = (rows: readonly ProcessRow[], row: ProcessRow) =>
  rows.map((one) => (one.id === row.id ? row : one))

/** What another resource has made is that one's to start, to end and to forget. */
export function refuseKept({ kind, name, spec: { keptBy } }: ProcessRow): void {
  if (keptBy === undefined) return
  const keepers = { WebApp: 'web app', Space: 'space', Deployment: 'deployment', Pipeline: 'pipeline' }
  throw new HearthError(
    'conflict',
    `${kind} ${name} is kept by ${keepers[keptBy.kind]} ${keptBy.id}: change that, and it follows`,
  )
}

function refuseGoing({ name, desired_phase }: EnvironmentRow, row: ProcessRow): void {
  if (desired_phase === 'deleted')
    throw new HearthError('conflict', `environment ${name} is being deleted: nothing is started in it`)
  if (row.desired === 'delete')
    throw new HearthError('conflict', `${row.kind} ${row.name} is being deleted: it is not started again`)
}
