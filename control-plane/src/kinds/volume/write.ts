import { type VolumePhase, volumeWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { requestOrders, requestPurges } from '../../database/outbox.ts'
import { wake, wakeAt } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { deadlineOf } from './decide.ts'
import { volumes } from './queries.ts'
import { type StoredVolumeStatus, toVolume, type VolumeRow } from './table.ts'

export interface VolumeChange {
  phase?: VolumePhase
  /** By default that of the phase that begins. */
  deadline?: Date | null
  runnerId?: string
  status?: Partial<StoredVolumeStatus>
  now: Date
}

/**
 * The only place that writes how a volume stands: the row, its event, its timer, and its order where a runner has it. The row must have
 * been read under lock.
 */
export async function changeVolumeStatus(
  tx: DatabaseTransaction,
  row: VolumeRow,
  { phase = row.phase, runnerId, now, ...change }: VolumeChange,
): Promise<VolumeRow> {
  const moves = phase !== row.phase
  const { deadline = moves ? deadlineOf(phase, now) : row.deadline } = change
  const changed = await volumes.changeStatus(tx, row.id, {
    phase,
    deadline,
    status: { ...row.status, ...change.status },
    ...(runnerId === undefined ? {} : { runner_id: runnerId }),
    ...(moves ? { phase_since: now } : {}),
  })
  await recordEvent(tx, 'updated', toVolume(changed))
  await orderVolume(tx, changed)
  await wakeKeeper(tx, changed)
  if (changed.deadline !== null) await wakeAt(tx, 'volume', row.id, changed.deadline)
  return changed
}

/** What keeps it goes on when it is there, or gone. */
export async function wakeKeeper(tx: DatabaseTransaction, { spec }: Pick<VolumeRow, 'spec'>): Promise<void> {
  if (spec.keptBy !== undefined) await wake(tx, 'pipeline', spec.keptBy.id)
}

async function orderVolume(tx: DatabaseTransaction, { id, runner_id: runnerId }: VolumeRow): Promise<void> {
  if (runnerId !== null) await requestOrders(tx, volumeWork.kind, [{ id, runnerId }])
}

export async function removeVolume(tx: DatabaseTransaction, row: VolumeRow): Promise<void> {
  if (row.runner_id !== null) {
    await requestPurges(tx, volumeWork.kind, [{ id: row.id, runnerId: row.runner_id }])
    // Who waits for room on that host may have it now.
    await wake(tx, 'placement', row.organization_id)
  }
  await volumes.remove(tx, row.id)
  await recordEvent(tx, 'deleted', toVolume(row))
  await wakeKeeper(tx, row)
}
