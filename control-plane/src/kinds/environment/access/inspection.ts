import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { bootEnd } from '../lifecycle/boot-end.ts'
import { type EnvironmentRow, environmentColumns, toListedEnvironment } from '../table.ts'
import { certificateSeconds } from './connection.ts'

/** Whether a claim may get the machine, now or once it runs. */
export function isClaimable(row: Pick<EnvironmentRow, 'warm_pool_id' | 'claim_id'>): boolean {
  return row.warm_pool_id !== null && row.claim_id === null
}

/**
 * Takes an unclaimed member out of its pool for good, so that an administrator may look into it. It goes by itself once
 * the last certificate for it has ended; the pool makes another. The row must have been read under lock.
 */
export async function beginInspection(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow> {
  const poolId = row.warm_pool_id
  if (poolId === null) throw new Error(`environment ${row.id} is in no pool`)
  const keep_seconds = certificateSeconds
  const { remove_at } = bootEnd({ ...row, keep_seconds }, row.phase, now)
  const changed = await tx
    .updateTable('environments')
    .set({
      warm_pool_id: null,
      inspected_pool_id: poolId,
      keep_seconds,
      remove_at,
      status_version: sql`status_version + 1`,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
  await recordEvent(tx, 'updated', toListedEnvironment(changed))
  await wake(tx, 'warm-pool', poolId)
  await wake(tx, 'environment', changed.id)
  return changed
}
