import type { warmPoolClearSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { updateWarmPool } from '../queries.ts'
import { retireAll } from '../retire.ts'
import { poolSpec, type WarmPoolRow } from '../table.ts'
import { lockPool, type OnPool, recordChange, refuseWhileDeleting } from './locked-pool.ts'

/**
 * Deletes every unclaimed member. With `replenish` the pool forgets failed boots and fills again; without, it stays
 * empty.
 */
export const clearWarmPool: Command<OnPool<z.output<typeof warmPoolClearSchema>>, WarmPoolRow> = {
  async run(tx, context, { reference, body: { replenish } }) {
    const { services, caller } = context
    const row = await lockPool(tx, context, reference)
    refuseWhileDeleting(row)
    const because = { reason: 'pool_cleared' as const, principalId: caller.principalId }
    await retireAll(tx, { kind: 'warm-pool', id: row.id }, because, services.clock.now())
    const { labels, phase } = row
    const changed = await updateWarmPool(tx, row, {
      labels,
      spec: poolSpec(row),
      phase,
      cleared: !replenish,
      freshStart: true,
    })
    await recordChange(tx, changed)
    return changed
  },
}
