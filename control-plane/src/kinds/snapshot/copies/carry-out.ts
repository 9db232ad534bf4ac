import { copySeconds, type Failure, type SnapshotHolder, snapshotWork } from '@hearth/contract'
import { assertNever, newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { type Wake, wakeMany } from '../../../reconciling/wake.ts'
import type { CopySource, Flattening, SnapshotRow } from '../table.ts'
import { type CopyAction, copyEndsAt, isFlattening, type SeenCopy, type SeenOrigin } from './decide-copy.ts'

/** Does one action on a copy, but for forgetting it, which removes its holder. */
export async function carryOutCopy(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  copy: SeenCopy,
  action: Exclude<CopyAction, { do: 'forget' }>,
  now: Date,
): Promise<void> {
  const { runnerId, source } = copy
  switch (action.do) {
    case 'attempt': {
      const { from, tried } = action
      await writeCopy(tx, row.id, runnerId, {
        phase: 'pending',
        failure: copy.failure,
        source: {
          ...{ kind: 'runner', runnerId: from.runnerId, address: from.address, grantId: newId() },
          ...{ endsAt: copyEndsAt(now), triedRunnerIds: tried, isGivenUp: false },
        },
      })
      await orderOf(tx, row.id, [runnerId, from.runnerId, source.runnerId])
      return
    }
    case 'flatten': {
      const { at, tried } = action
      await writeCopy(tx, row.id, runnerId, {
        phase: 'pending',
        failure: copy.failure,
        source: {
          ...{ kind: 'runner', runnerId: at.runnerId, address: null, grantId: null, endsAt: null },
          ...{ triedRunnerIds: tried, isGivenUp: false },
        },
      })
      await askToFlatten(tx, row.id, at, now)
      return
    }
    case 'give-up': {
      const { failure } = action
      const given = { ...source, isGivenUp: true, endsAt: copyEndsAt(now) }
      await writeCopy(tx, row.id, runnerId, { phase: 'failed', failure, source: given })
      await orderOf(tx, row.id, [runnerId, source.runnerId])
      await wakeMany(tx, await waitingForCopy(tx, row, runnerId))
      return
    }
    default:
      assertNever(action)
  }
}

async function writeCopy(
  tx: DatabaseTransaction,
  snapshotId: string,
  runnerId: string,
  copy: { phase: SnapshotHolder['phase']; failure: Failure | null; source: CopySource },
): Promise<void> {
  await tx
    .updateTable('snapshot_holders')
    .set({
      phase: copy.phase,
      source: JSON.stringify(copy.source),
      failure: copy.failure === null ? null : JSON.stringify(copy.failure),
      progress: null,
    })
    .where('snapshot_id', '=', snapshotId)
    .where('runner_id', '=', runnerId)
    .execute()
}

/** Keeps the grant of a copy to which bytes came. The runner that sends them is told, the other has no need to know. */
export async function renewGrant(
  tx: DatabaseTransaction,
  snapshotId: string,
  copy: { runner_id: string; source: CopySource },
  now: Date,
): Promise<void> {
  const { source } = copy
  const left = Date.parse(source.endsAt ?? '') - now.getTime()
  if (source.grantId === null || left > (copySeconds * 1000) / 2) return
  const renewed = { ...source, endsAt: copyEndsAt(now) }
  await tx
    .updateTable('snapshot_holders')
    .set({ source: JSON.stringify(renewed) })
    .where('snapshot_id', '=', snapshotId)
    .where('runner_id', '=', copy.runner_id)
    .execute()
  await orderOf(tx, snapshotId, [source.runnerId])
}

/** One that is at it is not asked again. */
async function askToFlatten(
  tx: DatabaseTransaction,
  snapshotId: string,
  at: SeenOrigin,
  now: Date,
): Promise<void> {
  if (isFlattening(at, now)) return
  const flattening: Flattening = { id: newId(), endsAt: copyEndsAt(now), failure: null }
  await tx
    .updateTable('snapshot_holders')
    .set({ flattening: JSON.stringify(flattening) })
    .where('snapshot_id', '=', snapshotId)
    .where('runner_id', '=', at.runnerId)
    .execute()
  await orderOf(tx, snapshotId, [at.runnerId])
}

/** After a copy has come: takes back the grant, and wakes what waited for it. */
export async function copyCame(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  { runner_id, source }: { runner_id: string; source: CopySource },
): Promise<void> {
  await orderOf(tx, row.id, [source.runnerId])
  await wakeMany(tx, await waitingForCopy(tx, row, runner_id))
}

/** Machines, and copies of the snapshots that stand on this one. */
async function waitingForCopy(tx: DatabaseTransaction, row: SnapshotRow, runnerId: string): Promise<Wake[]> {
  const children = await tx
    .selectFrom('snapshots')
    .innerJoin('snapshot_holders', 'snapshot_holders.snapshot_id', 'snapshots.id')
    .select('snapshots.id')
    .where('parent_id', '=', row.id)
    .where('runner_id', '=', runnerId)
    .where('snapshots.phase', '=', 'ready')
    .execute()
  return [
    { kind: 'placement', id: row.organization_id },
    ...children.map(({ id }) => ({ kind: 'snapshot' as const, id })),
  ]
}

async function orderOf(tx: DatabaseTransaction, id: string, runnerIds: (string | null)[]): Promise<void> {
  const named = [...new Set(runnerIds.filter((runnerId) => runnerId !== null))]
  const ordered = named.map((runnerId) => ({ id, runnerId }))
  await requestOrders(tx, snapshotWork.kind, ordered)
}
