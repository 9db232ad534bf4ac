import { type SnapshotPurpose, type snapshotCreateSchema, snapshotWork } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Caller } from '../../../api/caller.ts'
import type { Command, CommandContext } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { claims } from '../../claim/index.ts'
import {
  declaredIn,
  type EnvironmentRow,
  environments,
  type HeldBySnapshot,
  isOpenToAll,
  requireEntry,
  stepDigests,
  withPlan,
} from '../../environment/index.ts'
import { readRanTasks } from '../../process/index.ts'
import { deadlineOf } from '../decide.ts'
import { readHolders, readVolumes, snapshots } from '../queries.ts'
import { type HolderSource, type SnapshotRow, type StoredSnapshotStatus, toSnapshot } from '../table.ts'

/** Makes a snapshot of an environment, or of the one that a claim has. */
export const createSnapshot: Command<z.output<typeof snapshotCreateSchema>, SnapshotRow> = {
  async run(tx, context, { name, labels, spec }) {
    const { memory } = spec
    const machine =
      spec.claim === undefined
        ? await lockEnvironment(tx, context.caller, spec.environment ?? '')
        : await lockClaimed(tx, context.caller, spec.claim)
    return freeze(tx, context, machine, { name, labels, memory, purpose: 'kept' })
  },
}

/** Finds a machine that the caller may enter, and locks it. */
export type LockMachine = (
  tx: DatabaseTransaction,
  caller: Caller,
  reference: string,
) => Promise<EnvironmentRow>

/** An environment that the caller may enter, locked. */
export async function lockEnvironment(
  tx: DatabaseTransaction,
  caller: Caller,
  reference: string,
): Promise<EnvironmentRow> {
  const row = found(await environments.lock(tx, caller, reference), 'environment', reference)
  await requireEntry(tx, caller, row)
  return row
}

/** The environment of a bound claim that the caller may enter, locked. */
export async function lockClaimed(
  tx: DatabaseTransaction,
  caller: Caller,
  reference: string,
): Promise<EnvironmentRow> {
  const claim = await claims.get(tx, caller, reference)
  const row =
    claim.environment_id === null ? undefined : await environments.lockById(tx, claim.environment_id)
  if (claim.phase !== 'bound' || row?.claim_id !== claim.id)
    throw new HearthError('conflict', `claim ${claim.name} is ${claim.phase}: it has no machine to freeze`)
  await requireEntry(tx, caller, row)
  return row
}

export interface NewSnapshot {
  name?: string | undefined
  labels: Record<string, string>
  memory: boolean
  purpose: SnapshotPurpose
  /** The snapshot on whose disk the machine stands and did no step of its own: what that holds, this one holds. */
  standsOn?: string | null
}

/** When it is made, and by whom; null for Hearth itself. */
export interface Freezing {
  services: Pick<CommandContext['services'], 'clock'>
  caller: { principalId: string | null }
}

/** Writes a snapshot of an environment, which must have been read under lock, and orders it of its runner. */
export async function freeze(
  tx: DatabaseTransaction,
  { services, caller }: Freezing,
  environment: EnvironmentRow,
  { name, labels, memory, purpose, standsOn = null }: NewSnapshot,
): Promise<SnapshotRow> {
  const runnerId = requireFreezable(environment)
  const id = newId()
  const { plan } = (await withPlan(tx, environment)).spec
  const { image, virtualCpus, memoryMebibytes, diskGibibytes } = plan
  const stoodOn = standsOn === null ? undefined : (await snapshots.readById(tx, standsOn))?.status
  const status: StoredSnapshotStatus = {
    machine: { image, virtualCpus, memoryMebibytes, diskGibibytes },
    held: {
      ...heldBy(purpose, stepDigests(plan, environment.status.steps)),
      ...stoodOn?.held,
    },
    ...(await heldBeside(tx, environment, stoodOn)),
    planDigest: environment.configuration,
    ...(environment.has_volumes ? { volumesLeftOut: await readVolumes(tx, environment.id) } : {}),
    bytes: null,
    memory: null,
    pausedMilliseconds: null,
    readyAt: null,
    failure: null,
    observedSpecVersion: 0,
  }
  const row = await snapshots.insert(
    tx,
    {
      id,
      organizationId: environment.organization_id,
      creator: caller.principalId,
      name: name ?? `${nameStems[purpose]}-${id.slice(-6)}`,
      labels,
      spec: { memory },
    },
    {
      project_id: environment.project_id,
      environment_id: environment.id,
      claim_id: environment.claim_id,
      holder_id: isOpenToAll(environment) ? null : caller.principalId,
      purpose,
      phase: 'pending',
      desired_phase: 'ready',
      deadline: deadlineOf('pending', services.clock.now()),
      status,
    },
  )
  const source: HolderSource = { kind: 'environment', environmentId: environment.id, memory }
  await tx
    .insertInto('snapshot_holders')
    .values({
      snapshot_id: id,
      runner_id: runnerId,
      organization_id: environment.organization_id,
      phase: 'pending',
      source: JSON.stringify(source),
    })
    .execute()
  await requestOrders(tx, snapshotWork.kind, [{ id, runnerId }])
  await recordEvent(tx, 'created', toSnapshot(row, await readHolders(tx, [id])))
  await wake(tx, 'snapshot', id)
  return row
}

const nameStems: Record<SnapshotPurpose, string> = {
  kept: 'snapshot',
  checkpoint: 'checkpoint',
  fork: 'fork',
  prebuild: 'prebuild',
  pipeline: 'pipeline',
}

/** Of a prebuild's the guest was scrubbed, and its repositories are brought up to date at each start. */
function heldBy(purpose: SnapshotPurpose, held: Record<string, string>): Record<string, string> {
  if (purpose !== 'prebuild') return held
  const isKept = (key: string) => key !== 'set_env_vars' && !key.startsWith('clone_repo')
  return Object.fromEntries(Object.entries(held).filter(([key]) => isKept(key)))
}

/** What its machine's repositories declare, and which tasks of prebuilds have run in it. */
async function heldBeside(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  stoodOn: StoredSnapshotStatus | undefined,
): Promise<HeldBySnapshot> {
  const declared = { ...stoodOn?.declared, ...declaredIn(environment) }
  const ranTasks = { ...stoodOn?.ranTasks, ...(await readRanTasks(tx, environment)) }
  return {
    ...(Object.keys(declared).length === 0 ? {} : { declared }),
    ...(Object.keys(ranTasks).length === 0 ? {} : { ranTasks }),
  }
}

/** The runner of an environment that can be frozen now; throws `conflict` for one that cannot. */
function requireFreezable(row: EnvironmentRow): string {
  const refuse = (because: string) => new HearthError('conflict', `environment ${row.name} ${because}`)
  if (row.desired_phase === 'deleted') throw refuse('is being deleted')
  if (row.phase !== 'running' && row.phase !== 'stopped')
    throw refuse(`is ${row.phase}: a snapshot is made of a running or a stopped environment`)
  if (row.unreachable || row.runner_id === null)
    throw refuse('cannot be frozen now: its runner is silent; try again when it is back')
  return row.runner_id
}
