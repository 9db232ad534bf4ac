import type { volumeDetachSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { volumes } from '../queries.ts'
import { settleVolume } from '../reconcile.ts'
import { toVolume, type VolumeRow } from '../table.ts'
import { changeVolumeStatus } from '../write.ts'
import { lockWithMachine, requireAwake, requirePresent } from './lock.ts'

/**
 * Takes a volume out of its machine, once that has written out what belongs to it; with force it is not waited for. One that
 * failed is tried again.
 */
export const detachVolume: Command<OnOne<z.output<typeof volumeDetachSchema>>, VolumeRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const { row, machine } = await lockWithMachine(tx, context, reference)
    requirePresent(row)
    const isTriedAgain = row.phase === 'failed' || (row.phase === 'detaching' && force && !row.spec.force)
    if (row.environment_id === null && !isTriedAgain) return row
    requireAwake(row, machine)
    const now = context.services.clock.now()
    const changed = await volumes.changeSpec(tx, row.id, {
      environment_id: null,
      spec: { ...row.spec, force },
    })
    await recordEvent(tx, 'updated', toVolume(changed))
    const phase = row.runner_id === null ? 'unplaced' : 'detaching'
    const status = { failure: null, waitsFor: null }
    const begun = await changeVolumeStatus(tx, changed, { phase, status, now })
    return (await settleVolume(tx, begun, undefined, now)) ?? begun
  },
}
