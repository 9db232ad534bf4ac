import type { DeclaredProcesses } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { type EnvironmentRow, withPlan } from '../environment/index.ts'
import { withDependencies } from './dependencies.ts'
import { processQueries } from './queries.ts'
import { emptyProcessStatus, type ProcessRow, type StoredProcessSpec, toListedProcess } from './table.ts'
import { wakeSessions } from './wake-sessions.ts'

/** What has come about with an environment: each brings its tasks and services into being. */
export type Moment = 'start' | 'claim'

interface Declared {
  name: string
  spec: StoredProcessSpec
  dependsOn: readonly string[]
}

/**
 * Makes the tasks and services that the project of an environment declares, as soon as they are due; those that begin by
 * themselves are started. The row of the environment must have been read under lock. Resolves with those that are new.
 */
export async function declareProcesses(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly ProcessRow[],
  now: Date,
): Promise<ProcessRow[]> {
  if (!environment.has_processes || environment.status.readyAt === null) return []
  const { processes } = (await withPlan(tx, environment)).spec.plan
  const moment = processes === undefined ? null : await momentOf(tx, environment)
  if (processes === undefined || moment === null) return []
  const known = new Set(rows.map(({ name }) => name))
  const made: ProcessRow[] = []
  for (const { name, spec, isStarted } of dueAt(processes, moment)) {
    if (known.has(name)) continue
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
export function dueAt(
  { tasks, services }: DeclaredProcesses,
  moment: Moment,
): (Declared & { isStarted: boolean })[] {
  const all: (Declared & { on: string })[] = [
    ...Object.entries(tasks).map(([name, spec]) => ({
      ...{ name, on: spec.on, dependsOn: spec.dependsOn },
      spec: { kind: 'task' as const, isDeclared: true, ...spec },
    })),
    ...Object.entries(services).map(([name, spec]) => ({
      ...{ name, on: spec.on, dependsOn: spec.dependsOn },
      spec: { kind: 'service' as const, isDeclared: true, ...spec },
    })),
  ]
  const begins: Record<Moment, readonly string[]> = {
    start: ['start'],
    claim: ['start', 'claim'],
  }
  const first = all.filter(({ on }) => begins[moment].includes(on)).map(({ name }) => name)
  const started = withDependencies(first, all)
  const shown = moment === 'claim' ? all : all.filter(({ name }) => started.includes(name))
  return shown.map(({ on: _, ...one }) => ({ ...one, isStarted: started.includes(one.name) }))
}
