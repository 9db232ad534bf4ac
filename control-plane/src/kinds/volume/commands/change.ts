import type { volumeUpdateSchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { lockPlacement, readFleet } from '../../environment/index.ts'
import { lackOfRoom } from '../look.ts'
import { volumes } from '../queries.ts'
import { settleVolume } from '../reconcile.ts'
import { toVolume, type VolumeRow } from '../table.ts'
import { changeVolumeStatus } from '../write.ts'
import { lockWithMachine, requireNoSnapshot, requirePresent } from './lock.ts'

/** Enlarges a volume, or changes where it is mounted the next time; one that failed is tried again. */
export const changeVolume: Command<OnOne<z.output<typeof volumeUpdateSchema>>, VolumeRow> = {
  async run(tx, context, { reference, body: { labels, spec } }) {
    const { row, machine } = await lockWithMachine(tx, context, reference)
    requirePresent(row)
    const now = context.services.clock.now()
    const mebibytes = spec?.sizeMebibytes ?? row.size_mebibytes
    const mountPath = spec?.mountPath ?? row.spec.mountPath
    const grows = mebibytes !== row.size_mebibytes
    if (grows) await requireGrowth(tx, row, mebibytes, now)
    if (mountPath !== row.spec.mountPath && row.environment_id !== null)
      throw new HearthError(
        'conflict',
        `volume ${row.name} is mounted at ${row.spec.mountPath}: detach it before it is mounted elsewhere`,
      )
    const changed = await volumes.changeSpec(tx, row.id, {
      labels: labels ?? row.labels,
      size_mebibytes: mebibytes,
      spec: { ...row.spec, mountPath, force: false },
    })
    await recordEvent(tx, 'updated', toVolume(changed))
    const begun = await changeVolumeStatus(tx, changed, {
      ...{ phase: phaseAfter(row, grows), now },
      status: { failure: null },
    })
    return (await settleVolume(tx, begun, machine, now)) ?? begun
  },
}

/** The order is a new one: its host says again how it stands. */
function phaseAfter(row: VolumeRow, grows: boolean): VolumeRow['phase'] {
  if (row.runner_id === null) return row.phase === 'failed' ? 'pending' : row.phase
  if (row.phase === 'failed') return row.environment_id === null ? 'detaching' : 'attaching'
  return grows && (row.phase === 'available' || row.phase === 'attached') ? 'growing' : row.phase
}

async function requireGrowth(
  tx: DatabaseTransaction,
  row: VolumeRow,
  mebibytes: number,
  now: Date,
): Promise<void> {
  requireNoSnapshot(row, 'changed')
  const more = mebibytes - row.size_mebibytes
  if (more < 0)
    throw invalidValue({
      field: 'body.spec.sizeMebibytes',
      given: String(mebibytes),
      expected: `at least ${row.size_mebibytes}, which it has: a volume never shrinks`,
    })
  if (row.runner_id === null) return
  await lockPlacement(tx, row.organization_id)
  const [host] = await readFleet(tx, row.organization_id, now, { runnerId: row.runner_id })
  const lack = host === undefined ? null : lackOfRoom(host, more)
  if (lack !== null) throw new HearthError('conflict', `volume ${row.name} cannot grow: it needs ${lack}`)
}
