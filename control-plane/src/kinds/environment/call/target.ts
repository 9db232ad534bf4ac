import { HearthError, spokenTime } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Caller } from '../../../api/caller.ts'
import type { Services } from '../../../api/services.ts'
import type { DatabaseTransaction, Queryable } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { readSecrets } from '../../project/index.ts'
import { enter } from '../access/enter.ts'
import { readBindingSecrets } from '../binding/secrets.ts'
import { noteActivity } from '../life/change.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'

/** A running machine, and the agent to ask. */
export interface MachineTarget {
  environmentId: string
  name: string
  runnerId: string
  epoch: number
  sealingKey: string | null
  /** Where the first repository is, or would be. */
  folder: string
}
/** One that somebody was let into. */
export interface CallTarget extends MachineTarget {
  /** What must not be shown of what it prints. */
  secrets: readonly string[]
}

/**
 * Lets the caller into a machine that runs, and notes that it is used. Throws as `enter` does, `conflict` for one that does
 * not run, and `unavailable` while its host is away.
 */
export function enterRunning(services: Services, caller: Caller, reference: string): Promise<CallTarget> {
  return transact(services.database, async (tx) => {
    const now = services.clock.now()
    const row = await enter(tx, caller, reference, now, requireRunning)
    await noteActivity(tx, row, now)
    return readTarget(tx, services, row)
  })
}

function requireRunning({ name, phase, desired_phase }: EnvironmentRow): void {
  if (phase === 'running' && desired_phase !== 'running' && desired_phase !== 'deleted')
    throw new HearthError('conflict', `environment ${name} is about to be ${desired_phase}`)
  if (phase === 'running') return
  const hint =
    phase === 'stopped' || phase === 'suspended' ? `: resume it first, as by \`hearth resume ${name}\`` : ''
  throw new HearthError(
    'conflict',
    `environment ${name} is ${phase}, and only one that is running can be called into${hint}`,
  )
}

/** A running machine and the agent to ask, for those who know otherwise that they may. Throws as `enterRunning` does. */
export async function runningTarget(
  { database }: Pick<Services, 'database'>,
  environmentId: string,
): Promise<MachineTarget> {
  const row = await environments.readById(database, environmentId)
  if (row === undefined) throw new HearthError('conflict', 'the machine is gone')
  requireRunning(row)
  return readMachine(database, row)
}

async function readTarget(
  tx: DatabaseTransaction,
  { encryption }: Services,
  row: EnvironmentRow,
): Promise<CallTarget> {
  const { claim_id, project_id } = row
  const machine = await readMachine(tx, row)
  const bound = claim_id === null ? {} : await readBindingSecrets(tx, encryption, claim_id)
  const secrets = { ...(await readSecrets(tx, encryption, project_id)), ...bound }
  return { ...machine, secrets: Object.values(secrets) }
}

async function readMachine(queryable: Queryable, { id, name }: EnvironmentRow): Promise<MachineTarget> {
  const runner = await queryable
    .selectFrom('environments')
    .innerJoin('runners', 'runners.id', 'environments.runner_id')
    .select([
      'runners.id',
      'runners.name',
      'runners.phase',
      'runners.epoch',
      'runners.last_seen_at',
      sql<string | null>`runners.status->'facts'->>'sealingKey'`.as('sealing_key'),
      sql<string | null>`environments.spec->'plan'->'repositories'->0->>'name'`.as('repository'),
    ])
    .where('environments.id', '=', id)
    .executeTakeFirst()
  if (runner === undefined || runner.epoch === 0)
    throw new HearthError('unavailable', `environment ${name} has no host with an agent`)
  if (runner.phase === 'offline') {
    const since = runner.last_seen_at === null ? '' : ` since ${spokenTime(runner.last_seen_at)}`
    throw new HearthError('unavailable', `the host ${runner.name} of environment ${name} is away${since}`)
  }
  return {
    environmentId: id,
    name,
    runnerId: runner.id,
    epoch: runner.epoch,
    sealingKey: runner.sealing_key,
    folder: runner.repository === null ? '/home' : `/home/${runner.repository}`,
  }
}
