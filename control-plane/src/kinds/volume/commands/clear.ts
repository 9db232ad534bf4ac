import type { volumeClearSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { volumes } from '../queries.ts'
import { toVolume, type VolumeRow } from '../table.ts'
import { changeVolumeStatus } from '../write.ts'
import {
  lockWithMachine,
  requireAwake,
  requireNoCopyUnderWay,
  requireNoSnapshot,
  requirePresent,
} from './lock.ts'

/** Empties a volume: a new file system takes the place of the old one. */
export const clearVolume: Command<OnOne<z.output<typeof volumeClearSchema>>, VolumeRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const { row, machine } = await lockWithMachine(tx, context, reference)
    requirePresent(row)
    requireNoSnapshot(row, 'emptied')
    await requireNoCopyUnderWay(tx, row)
    // One that was never made is empty.
    if (row.runner_id === null) return row
    requireAwake(row, machine)
    if (machine !== undefined && machine.phase !== 'stopped' && !force)
      throw new HearthError(
        'conflict',
        `volume ${row.name} is attached to environment ${machine.name}, which is ${machine.phase}: detach it or stop the machine first, or empty it under the machine with force`,
      )
    const { contentNumber } = row.spec
    const changed = await volumes.changeSpec(tx, row.id, {
      spec: { ...row.spec, contentNumber: contentNumber + 1, force },
    })
    await recordEvent(tx, 'updated', toVolume(changed))
    const now = context.services.clock.now()
    return changeVolumeStatus(tx, changed, { phase: 'clearing', status: { failure: null }, now })
  },
}
