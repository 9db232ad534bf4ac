import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { updateWarmPool, warmPools } from '../queries.ts'
import type { WarmPoolRow } from '../table.ts'
import { recordChange } from './locked-pool.ts'

/** Deletes the pool with its unclaimed members and its tests; claimed environments stay with their claims. */
export const deleteWarmPool: Command<OnOne, WarmPoolRow> = {
  async run(tx, context, { reference }) {
    const row = await warmPools.lockForChange(tx, context, reference)
    await wake(tx, 'warm-pool', row.id)
    if (row.phase === 'deleting') return row
    const going = await updateWarmPool(tx, row, { ...row, phase: 'deleting' })
    await recordChange(tx, going)
    return going
  },
}
