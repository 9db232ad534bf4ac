import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { wake } from '../../reconciling/wake.ts'
import { type EnvironmentRow, environments } from '../environment/index.ts'
import { decide, type VolumeAction } from './decide.ts'
import { lookAround, seen } from './look.ts'
import { lockVolumesOf, volumes } from './queries.ts'
import type { VolumeRow } from './table.ts'
import { changeVolumeStatus, removeVolume } from './write.ts'

/** Sees to one volume. */
export const volumeReconciler: Reconciler = {
  kind: 'volume',
  async reconcile(id, { tx, clock }) {
    const before = await tx
      .selectFrom('volumes')
      .select('environment_id')
      .where('id', '=', id)
      .executeTakeFirst()
    if (before === undefined) return null
    // The environment is locked first, as everywhere.
    const machine =
      before.environment_id === null ? undefined : await environments.lockById(tx, before.environment_id)
    const row = await volumes.lockById(tx, id)
    if (row === undefined) return null
    if (row.environment_id !== before.environment_id) {
      await wake(tx, 'volume', id)
      return null
    }
    const left = await settleVolume(tx, row, machine, clock.now())
    return left?.deadline ?? null
  },
}

/** Sees to the volumes of one environment, which has changed. */
export const attachmentReconciler: Reconciler = {
  kind: 'attachment',
  async reconcile(environmentId, { tx, clock }) {
    const machine = await environments.lockById(tx, environmentId)
    const now = clock.now()
    for (const row of await lockVolumesOf(tx, environmentId)) await settleVolume(tx, row, machine, now)
    return null
  },
}

/**
 * Does what follows from what is wanted and seen of a volume, until nothing does. The row, and before it that of its
 * environment, must have been read under lock. Resolves with null when it is gone.
 */
export async function settleVolume(
  tx: DatabaseTransaction,
  row: VolumeRow,
  machine: EnvironmentRow | undefined,
  now: Date,
): Promise<VolumeRow | null> {
  let current: VolumeRow | null = row
  for (let step = 0; step < 8; step += 1) {
    const around = await lookAround(tx, current, machine, now)
    const action: VolumeAction | null = decide(seen(current), around, now)
    if (action === null) return current
    current = await carryOut(tx, current, action, now)
    if (current === null) return null
  }
  throw new Error(`volume ${row.id} does not settle`)
}

async function carryOut(
  tx: DatabaseTransaction,
  row: VolumeRow,
  action: VolumeAction,
  now: Date,
): Promise<VolumeRow | null> {
  switch (action.do) {
    case 'remove':
      await removeVolume(tx, row)
      return null
    case 'release': {
      const released = await volumes.changeSpec(tx, row.id, { environment_id: null })
      // One that is not placed, or has failed, has nothing that a host could do.
      const phase = released.runner_id === null ? 'unplaced' : 'detaching'
      return changeVolumeStatus(tx, released, { phase, status: { failure: null, waitsFor: null }, now })
    }
    case 'place': {
      const { runnerId, deadline } = action
      const status = { waitsFor: null, failure: null }
      return changeVolumeStatus(tx, row, { phase: 'creating', deadline, runnerId, status, now })
    }
    case 'wait': {
      const { waitsFor, deadline } = action
      return changeVolumeStatus(tx, row, { phase: 'pending', deadline, status: { waitsFor }, now })
    }
    case 'begin':
      return changeVolumeStatus(tx, row, { phase: action.phase, deadline: action.deadline, now })
    case 'postpone':
      return changeVolumeStatus(tx, row, { deadline: action.deadline, now })
    case 'fail': {
      const { failure } = action
      return changeVolumeStatus(tx, row, { phase: 'failed', status: { failure, waitsFor: null }, now })
    }
    default:
      return assertNever(action)
  }
}
