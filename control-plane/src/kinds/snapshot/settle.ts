import { type Failure, mayMoveSnapshot, type SnapshotDeletion, type SnapshotPhase } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { isCopy } from './copies/look.ts'
import { settleCopies } from './copies/settle.ts'
import { deadlineOf, decide, type SeenSnapshot, type SnapshotAction } from './decide.ts'
import { orderHolders, removeHolders } from './holders.ts'
import { readHolders, snapshots } from './queries.ts'
import { type HolderRow, isSilent, isUnable, type SnapshotRow, toSnapshot } from './table.ts'

/**
 * Does what follows from what is wanted and seen of a snapshot, until nothing does. The row must have been read under
 * lock. Returns the row as it is then.
 */
export async function settleSnapshot(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  now: Date,
): Promise<SnapshotRow> {
  let settled = row
  // Each action leads to a state in which fewer follow; more than these would be a circle.
  for (let step = 0; step < 8; step += 1) {
    const holders = await readHolders(tx, [row.id])
    const action = decide(await look(tx, settled, holders, now))
    if (action === null) return settleCopies(tx, settled, holders, now)
    settled = await carryOut(tx, settled, holders, action, now)
  }
  throw new Error(`snapshot ${row.id} does not settle`)
}

async function look(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  now: Date,
): Promise<SeenSnapshot> {
  const project = await tx
    .selectFrom('projects')
    .select('phase')
    .where('id', '=', row.project_id)
    .executeTakeFirst()
  return {
    phase: row.phase,
    desiredPhase: row.desired_phase,
    deadline: row.deadline,
    projectDeleting: project?.phase !== 'active',
    holders: holders.map((holder) => ({
      runnerId: holder.runner_id,
      runner: holder.runner_name,
      phase: holder.phase,
      failure: holder.failure,
      keptBy: holder.kept_by,
      unordered: isCopy(holder) && holder.source.grantId === null,
      silent: isSilent(holder),
      removed: holder.runner_phase === 'deleted',
      agentVersion: holder.agent_version,
      workKinds: holder.work_kinds,
    })),
    now,
  }
}

async function carryOut(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  action: SnapshotAction,
  now: Date,
): Promise<SnapshotRow> {
  switch (action.do) {
    case 'forget-holders': {
      await removeHolders(tx, row.id, action.runnerIds)
      const forgotten = holders.filter(({ runner_id }) => action.runnerIds.includes(runner_id))
      const changed = await snapshots.changeStatus(tx, row.id, { status: statusWithout(row, forgotten) })
      await recordEvent(tx, 'updated', toSnapshot(changed, await readHolders(tx, [row.id])))
      return changed
    }
    case 'desire-deletion':
      return desireDeletion(tx, row, { reason: action.reason }, now)
    case 'begin-deletion':
      await orderHolders(tx, holders)
      return movePhase(tx, row, holders, { phase: 'deleting', now })
    case 'repeat-deletion': {
      await orderHolders(tx, holders)
      const deadline = deadlineOf('deleting', now)
      const status = { ...row.status, failure: action.failure }
      const changed = await snapshots.changeStatus(tx, row.id, { deadline, status })
      await recordEvent(tx, 'updated', toSnapshot(changed, holders))
      return changed
    }
    case 'fail':
      return fail(tx, row, holders, action.failure, now)
    case 'move':
      return movePhase(tx, row, holders, { phase: action.to, now })
    default:
      return assertNever(action)
  }
}

/** Copies have no memory: it goes with the runner that made the snapshot. */
function statusWithout({ status }: SnapshotRow, forgotten: readonly HolderRow[]): SnapshotRow['status'] {
  const maker = forgotten.find((holder) => !isCopy(holder))
  if (maker === undefined || status.memory?.kept !== true) return status
  const memory = { kept: false, reason: `it was on ${maker.runner_name}, which is gone` }
  return { ...status, memory, bytes: status.bytes === null ? null : { ...status.bytes, memory: 0 } }
}

/** Records the failure, and has its runners remove what they have made of it so far. */
async function fail(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  failure: Failure,
  now: Date,
): Promise<SnapshotRow> {
  // An agent that does not know snapshots has made nothing, and would leave the order lying.
  const [unable, able] = [holders.filter(isUnable), holders.filter((holder) => !isUnable(holder))]
  if (unable.length > 0)
    await removeHolders(
      tx,
      row.id,
      unable.map(({ runner_id }) => runner_id),
    )
  await orderHolders(tx, able)
  return movePhase(tx, row, able, { phase: 'failed', failure, now })
}

/** The only place that writes a phase. The row must have been read under lock. */
async function movePhase(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  { phase, failure = null, now }: { phase: SnapshotPhase; failure?: Failure | null; now: Date },
): Promise<SnapshotRow> {
  if (!mayMoveSnapshot(row.phase, phase))
    throw new Error(`snapshot ${row.id} may not move from ${row.phase} to ${phase}`)
  const readyAt = phase === 'ready' ? now.toISOString() : row.status.readyAt
  const changed = await snapshots.changeStatus(tx, row.id, {
    phase,
    // Another order: what its runners have made of it is unwanted from now on.
    spec_version: phase === 'failed' ? row.spec_version + 1 : row.spec_version,
    phase_since: now,
    deadline: deadlineOf(phase, now),
    status: { ...row.status, failure, readyAt, observedSpecVersion: row.spec_version },
  })
  await recordEvent(tx, phase === 'deleted' ? 'deleted' : 'updated', toSnapshot(changed, holders))
  // Machines that are to start from it wait for this.
  if (phase === 'ready') await wakeMany(tx, [{ kind: 'placement', id: row.organization_id }])
  if (phase === 'failed') await wakeMany(tx, await waiting(tx, row.id))
  await wakeMany(tx, [...(await prebuildOf(tx, row)), ...(await pipelinesOf(tx, row))])
  return changed
}

/** The prebuild that the snapshot is made for. */
async function prebuildOf(tx: DatabaseTransaction, { purpose, environment_id }: SnapshotRow) {
  if (purpose !== 'prebuild' || environment_id === null) return []
  const machine = await tx
    .selectFrom('environments')
    .select('owner_id')
    .where('id', '=', environment_id)
    .executeTakeFirst()
  return machine?.owner_id == null ? [] : [{ kind: 'prebuild' as const, id: machine.owner_id }]
}

/** The pipeline whose compiled program it is. */
async function pipelinesOf(tx: DatabaseTransaction, { purpose, id }: SnapshotRow) {
  if (purpose !== 'pipeline') return []
  const rows = await tx.selectFrom('pipelines').select('id').where('snapshot_id', '=', id).execute()
  return rows.map((row) => ({ kind: 'pipeline' as const, id: row.id }))
}

/** Environments that wait for the snapshot to be made. */
async function waiting(tx: DatabaseTransaction, id: string) {
  const rows = await tx
    .selectFrom('environments')
    .select('id')
    .where('source_snapshot_id', '=', id)
    .where('phase', '=', 'pending')
    .execute()
  return rows.map((row) => ({ kind: 'environment' as const, id: row.id }))
}

/**
 * Marks a snapshot for deletion and stores the reason. A second call changes nothing. The row must have been read under
 * lock; the caller settles it.
 */
export async function desireDeletion(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  { reason, principalId = null }: Pick<SnapshotDeletion, 'reason'> & { principalId?: string | null },
  now: Date,
): Promise<SnapshotRow> {
  if (row.desired_phase === 'deleted') return row
  return snapshots.changeSpec(tx, row.id, {
    desired_phase: 'deleted',
    deletion: { reason, principalId, at: now.toISOString() },
  })
}
