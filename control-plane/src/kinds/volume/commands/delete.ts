import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { giveUpVolume } from '../change-holder.ts'
import type { VolumeRow } from '../table.ts'
import { lockWithMachine, requireAwake, requireNoCopyUnderWay } from './lock.ts'

/** Deletes a volume with all that is on it; one that a machine has is refused, unless it is forced. */
export const deleteVolume: Command<OnOne<Force>, VolumeRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const { row, machine } = await lockWithMachine(tx, context, reference)
    if (row.desired === 'delete') return row
    if (machine !== undefined && machine.phase !== 'deleted' && !force)
      throw new HearthError(
        'conflict',
        `volume ${row.name} is attached to environment ${machine.name}: detach it first, or delete it with force`,
      )
    requireAwake(row, machine)
    await requireNoCopyUnderWay(tx, row)
    return giveUpVolume(tx, row, force, context.services.clock.now())
  },
}
