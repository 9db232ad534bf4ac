import { processLimits } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import { sql } from 'kysely'
import type { CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { activePhases } from '../decide.ts'
import { lockProcessesOf, processQueries } from '../queries.ts'
import { emptyProcessStatus, type ProcessRow, type StoredProcessSpec, toListedProcess } from '../table.ts'
import { wakeFollowers } from '../wake-followers.ts'
import { removeProcess } from '../write.ts'
import { settleNow, startTogether } from './settle-now.ts'

export interface NewProcess {
  name: string
  labels: Record<string, string>
  spec: StoredProcessSpec
  isStarted: boolean
}

/** Makes a task or service in an environment, which must have been read under lock, and starts it where that is wanted. */
export async function createProcess(
  tx: DatabaseTransaction,
  { caller, services: { clock } }: CommandContext,
  environment: EnvironmentRow,
  { name, labels, spec, isStarted }: NewProcess,
): Promise<ProcessRow> {
  const now = clock.now()
  refuseLarge(spec)
  const others = await makeRoom(tx, environment, await lockProcessesOf(tx, environment.id))
  refuseUnknown(spec.dependsOn, others)
  await refuseUnknownSecrets(tx, environment, spec.secrets)
  const row = await insertProcess(tx, environment, { creator: caller.principalId, name, labels, spec }, now)
  const rows = [...others, row]
  const started = isStarted ? await startTogether(tx, rows, [row], now) : rows
  return settleNow(tx, environment, started, row.id, now)
}

/** Writes one that has never run; a name that another of the environment has is refused. */
export async function insertProcess(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  { creator, name, labels, spec }: Omit<NewProcess, 'isStarted'> & { creator: string | null },
  now: Date,
): Promise<ProcessRow> {
  const row = await processQueries[spec.kind].insert(
    tx,
    { organizationId: environment.organization_id, creator, name, labels, spec },
    {
      environment_id: environment.id,
      phase: 'idle',
      phase_since: now,
      desired: 'run',
      request: 0,
      status: emptyProcessStatus,
    },
    `environment ${environment.name} has a task or service ${name} already`,
  )
  if (!environment.has_processes)
    await sql`UPDATE environments SET has_processes = true WHERE id = ${environment.id}`.execute(tx)
  await recordEvent(tx, 'created', toListedProcess(row))
  await wakeFollowers(tx, [environment.id])
  return row
}

export function refuseLarge(spec: StoredProcessSpec): void {
  const bytes = Buffer.byteLength(JSON.stringify(spec))
  if (bytes <= processLimits.totalBytes) return
  throw invalidValue({
    field: 'body.spec',
    given: `${bytes} bytes`,
    expected: `at most ${processLimits.totalBytes} bytes in all`,
  })
}

/** What ran once by hand and has ended makes room, the oldest first. */
export async function makeRoom(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  rows: readonly ProcessRow[],
): Promise<ProcessRow[]> {
  const tooMany = rows.length + 1 - processLimits.processes
  if (tooMany <= 0) return [...rows]
  const over = rows.filter(
    ({ kind, spec, phase, runner_id }) =>
      kind === 'task' &&
      !spec.isDeclared &&
      spec.keptBy === undefined &&
      spec.on === 'manual' &&
      !activePhases.has(phase) &&
      runner_id === null,
  )
  if (over.length < tooMany)
    throw new HearthError(
      'conflict',
      `environment ${environment.name} has ${rows.length} tasks and services, which is the most: delete one first`,
    )
  const removed = over.slice(0, tooMany)
  for (const row of removed) await removeProcess(tx, row)
  return rows.filter((row) => !removed.includes(row))
}

export function refuseUnknown(names: readonly string[], others: readonly ProcessRow[]): void {
  for (const [index, name] of names.entries())
    if (!others.some((other) => other.name === name))
      throw invalidValue({
        field: `body.spec.dependsOn.${index}`,
        given: name,
        expected: 'the name of a task or service of the environment',
      })
}

export async function refuseUnknownSecrets(
  tx: DatabaseTransaction,
  { project_id }: EnvironmentRow,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return
  const rows = await tx
    .selectFrom('project_secrets')
    .select('name')
    .where('project_id', '=', project_id)
    .execute()
  for (const [index, name] of names.entries())
    if (!rows.some((row) => row.name === name))
      throw invalidValue({
        field: `body.spec.secrets.${index}`,
        given: name,
        expected: 'the name of a secret of the project',
      })
}
