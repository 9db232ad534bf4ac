import { type ProvisioningPlan, processLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { declaredIn, type EnvironmentRow, withPlan } from '../environment/index.ts'
import { withDependencies } from './dependencies.ts'
import { noteExecution } from './executions/write.ts'
import { type Declared, mergeDeclared } from './merge.ts'
import { processQueries } from './queries.ts'
import { digestOf } from './ran-tasks.ts'
import { emptyProcessStatus, type ProcessRow, toListedProcess } from './table.ts'
import { wakeFollowers } from './wake-followers.ts'

/** What has come about with an environment: each brings its tasks and services into being. */
export type Moment = 'prebuild' | 'start' | 'claim'

/**
 * Makes the tasks and services that the project of an environment and the files of its repositories declare, as soon as
 * they are due; those that begin by themselves are started. The row of the environment must have been read under lock.
 * Resolves with those that are new.
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
  const all = await readDeclared(tx, environment)
  return makeDeclared(tx, environment, { due: dueAt(all, moment, heldTasks(all, environment)), rows, now })
}

/** Makes those of the declared ones that are not there yet. */
export async function makeDeclared(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  { due, rows, now }: { due: readonly Due[]; rows: readonly ProcessRow[]; now: Date },
): Promise<ProcessRow[]> {
  const known = new Set(rows.map(({ name }) => name))
  const ranIn = environment.source?.prebuild?.name ?? null
  const made: ProcessRow[] = []
  for (const { name, spec, begins } of due) {
    if (known.has(name) || rows.length + made.length >= processLimits.processes) continue
    const phases = { started: 'pending', held: 'succeeded', left: 'idle' } as const
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
        phase: phases[begins],
        phase_since: now,
        desired: 'run',
        request: begins === 'started' ? 1 : 0,
        status: begins === 'held' ? { ...emptyProcessStatus, ranIn } : emptyProcessStatus,
      },
    )
    await noteExecution(tx, row)
    await recordEvent(tx, 'created', toListedProcess(row))
    made.push(row)
  }
  if (made.length > 0) await wakeFollowers(tx, [environment.id])
  return made
}

/** All that is declared for an environment. */
export async function readDeclared(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
): Promise<Declared[]> {
  const { plan } = (await withPlan(tx, environment)).spec
  return declaredFor(environment, plan)
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

/** Those that are there from a moment on, and how each begins; `held` is what the snapshot has done. */
export interface Due extends Declared {
  begins: 'started' | 'held' | 'left'
}

const begun: Record<Moment, readonly string[]> = {
  prebuild: ['prebuild'],
  start: ['prebuild', 'start'],
  claim: ['prebuild', 'start', 'claim'],
}

/** Before a claim only those that begin by themselves, and what they depend on. */
export function dueAt(all: readonly Declared[], moment: Moment, held: ReadonlySet<string>): Due[] {
  const first = all.filter(({ name, on }) => begun[moment].includes(on) && !held.has(name))
  // What is done already needs nothing any more.
  const linked = all.map(({ name, dependsOn }) => ({ name, dependsOn: held.has(name) ? [] : dependsOn }))
  const started = withDependencies(
    first.map(({ name }) => name),
    linked,
  )
  const shown = moment === 'claim' ? all : all.filter(({ name }) => started.includes(name) || held.has(name))
  return shown.map((one) => ({
    ...one,
    begins: held.has(one.name) ? 'held' : started.includes(one.name) ? 'started' : 'left',
  }))
}

/** The tasks of prebuilds that the snapshot has run, from which the environment was started. */
export function heldTasks(
  all: readonly Declared[],
  { source, status }: Pick<EnvironmentRow, 'source' | 'status'>,
): Set<string> {
  const ran = status.startedFrom?.from === 'image' ? {} : (source?.ranTasks ?? {})
  const held = all.filter(({ name, on, spec }) => on === 'prebuild' && ran[name] === digestOf(spec))
  return new Set(held.map(({ name }) => name))
}
