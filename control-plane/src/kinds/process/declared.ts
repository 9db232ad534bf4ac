import { type ProvisioningPlan, processLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { declaredIn, type EnvironmentRow, withPlan } from '../environment/index.ts'
import { withDependencies } from './dependencies.ts'
import { type Declared, mergeDeclared } from './merge.ts'
import { processQueries } from './queries.ts'
import { emptyProcessStatus, type ProcessRow, toListedProcess } from './table.ts'
import { wakeSessions } from './wake-sessions.ts'

/** What has come about with an environment: each brings its tasks and services into being. */
export type Moment = 'start' | 'claim'

/**
 * Makes the tasks and services that the project of an environment and the files of its repositories declare, as soon as
 * they are due; those that begin by themselves are started. The row of the environment must have been read under lock. Resolves with those that are new.
 */
export async function declareProcesses(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly ProcessRow[],
  now: Date,
): Promise<ProcessRow[]> {
  if (!environment.has_processes || environment.status.readyAt === null) return []
  const moment = await momentOf(tx, environment)
  if (moment === null) return []
  const all = declaredFor(environment, (await withPlan(tx, environment)).spec.plan)
  const known = new Set(rows.map(({ name }) => name))
  const made: ProcessRow[] = []
  for (const { name, spec, isStarted } of dueAt(all, moment)) {
    if (known.has(name) || rows.length + made.length >= processLimits.processes) continue
    const row = await processQueries[spec.kind].insert(
      tx,
      {
        id: newId(),
        organizationId: environment.organization_id,
        creator: null,
        name,
        labels: {},
        spec,
      },
      {
        environment_id: environment.id,
        phase: isStarted ? 'pending' : 'idle',
        phase_since: now,
        desired: 'run',
        request: isStarted ? 1 : 0,
        status: emptyProcessStatus,
      },
    )
    await recordEvent(tx, 'created', toListedProcess(row))
    made.push(row)
  }
  if (made.length > 0) await wakeSessions(tx, [environment.id])
  return made
}

function declaredFor(environment: EnvironmentRow, { processes, repositories }: ProvisioningPlan): Declared[] {
  const declared = declaredIn(environment)
  const credentials = repositories.flatMap(({ token, deployKey }) => [token ?? [], deployKey ?? []].flat())
  const declaring = repositories.flatMap(({ name }) =>
    declared[name] === undefined ? [] : [{ name, processes: declared[name] }],
  )
  return mergeDeclared(processes, declaring, credentials)
}

/** Null while none has come, or where the environment is only looked at. */
async function momentOf(tx: DatabaseTransaction, row: EnvironmentRow): Promise<Moment | null> {
  if (row.claim_id === null) {
    if (row.owner_kind === null) return 'claim'
    return row.owner_kind === 'warm-pool' ? 'start' : null
  }
  const claim = await tx
    .selectFrom('claims')
    .select('phase')
    .where('id', '=', row.claim_id)
    .executeTakeFirst()
  return claim?.phase === 'bound' ? 'claim' : 'start'
}

/** Those that are there from a moment on; before a claim only those that begin by themselves, and what they depend on. */
export function dueAt(all: readonly Declared[], moment: Moment): (Declared & { isStarted: boolean })[] {
  const begins: Record<Moment, readonly string[]> = {
    start: ['start'],
    claim: ['start', 'claim'],
  }
  const first = all.filter(({ on }) => begins[moment].includes(on)).map(({ name }) => name)
  const started = withDependencies(first, all)
  const shown = moment === 'claim' ? all : all.filter(({ name }) => started.includes(name))
  return shown.map((one) => ({ ...one, isStarted: started.includes(one.name) }))
}
