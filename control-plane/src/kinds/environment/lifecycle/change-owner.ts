import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake, wakeMany } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OwnerKind } from '../owner.ts'
import { wakesOfOwner } from '../owner-rules.ts'
import { type EnvironmentRow, environmentColumns, toListedEnvironment } from '../table.ts'
import { bootEnd } from './boot-end.ts'

/**
 * Changes an environment's owner kind for good, keeps the environment for a limited time, and wakes whoever is
 * concerned. The row must have been read under lock.
 */
export async function changeOwner(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  { kind, keepSeconds }: { kind: OwnerKind; keepSeconds: number },
  now: Date,
): Promise<EnvironmentRow> {
  const { remove_at } = bootEnd({ ...row, keep_seconds: keepSeconds }, row.phase, now)
  const changed = await tx
    .updateTable('environments')
    .set({
      owner_kind: kind,
      keep_seconds: keepSeconds,
      remove_at,
      status_version: sql`status_version + 1`,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
  await recordEvent(tx, 'updated', toListedEnvironment(changed))
  await wakeMany(tx, wakesOfOwner(row))
  await wake(tx, 'environment', changed.id)
  return changed
}
