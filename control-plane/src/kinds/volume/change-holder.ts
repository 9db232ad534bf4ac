import type { VolumePhase } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import type { EnvironmentRow } from '../environment/index.ts'
import { deadlineOf } from './decide.ts'
import { volumes } from './queries.ts'
import { settleVolume } from './reconcile.ts'
import { emptyVolumeStatus, type StoredVolumeSpec, toVolume, type VolumeRow } from './table.ts'
import { changeVolumeStatus } from './write.ts'

export interface NewVolume {
  id?: string
  organizationId: string
  creator: string | null
  name: string
  labels: Record<string, string>
  mebibytes: number
  isSnapshot: boolean
  sourceId: string | null
  spec: StoredVolumeSpec
  phase: VolumePhase
}

/** Writes a volume that no machine has; the caller settles it. */
export async function insertVolume(
  tx: DatabaseTransaction,
  { id = newId(), organizationId, creator, name, labels, spec, phase, ...made }: NewVolume,
  now: Date,
): Promise<VolumeRow> {
  const row = await volumes.insert(
    tx,
    { ...{ id, organizationId, creator, name, labels }, spec },
    {
      size_mebibytes: made.mebibytes,
      is_snapshot: made.isSnapshot,
      environment_id: null,
      runner_id: null,
      source_id: made.sourceId,
      phase,
      phase_since: now,
      deadline: deadlineOf(phase, now),
      desired: 'present',
      status: emptyVolumeStatus,
    },
    `there is a volume ${name} already: give this one another name`,
  )
  await recordEvent(tx, 'created', toVolume(row))
  return row
}

/** Gives a volume to a machine, whose row, and then its own, must have been read under lock. Nothing is refused. */
export async function giveVolume(
  tx: DatabaseTransaction,
  row: VolumeRow,
  machine: EnvironmentRow,
  mountPath: string,
  now: Date,
): Promise<VolumeRow> {
  const changed = await volumes.changeSpec(tx, row.id, {
    environment_id: machine.id,
    spec: { ...row.spec, mountPath, force: false },
  })
  await recordEvent(tx, 'updated', toVolume(changed))
  if (!machine.has_volumes)
    await tx.updateTable('environments').set({ has_volumes: true }).where('id', '=', machine.id).execute()
  const phase = row.runner_id === null ? 'pending' : 'attaching'
  const status = { failure: null, waitsFor: null }
  const begun = await changeVolumeStatus(tx, changed, { phase, status, now })
  return (await settleVolume(tx, begun, machine, now)) ?? begun
}

/** Has a volume deleted with all that is on it; one that no runner has is gone at once. Nothing is refused. */
export async function giveUpVolume(
  tx: DatabaseTransaction,
  row: VolumeRow,
  force: boolean,
  now: Date,
): Promise<VolumeRow> {
  if (row.desired === 'delete') return row
  const unwanted = await volumes.changeSpec(tx, row.id, {
    desired: 'delete',
    environment_id: null,
    spec: { ...row.spec, force },
  })
  await recordEvent(tx, 'updated', toVolume(unwanted))
  return (await settleVolume(tx, unwanted, undefined, now)) ?? unwanted
}
