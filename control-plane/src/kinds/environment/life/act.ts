import type { LifeOver } from '@hearth/contract'
import { environmentWork } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { wake, wakeAt } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { desireDeletion, desireRest } from '../lifecycle/desire.ts'
import { timerOf } from '../lifecycle/timer.ts'
import { type EnvironmentRow, environmentColumns, toListedEnvironment } from '../table.ts'
import type { LifeAction, LifeEnd } from './ends.ts'
import type { StoredLife } from './life.ts'

/** Announces or brings the end of a machine that has one. The row must have been read under lock. */
export async function actOnLife(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  { do: what, end }: LifeAction,
  now: Date,
): Promise<EnvironmentRow> {
  if (row.life === null) return row
  if (what === 'announce') return announce(tx, row, row.life, end, now)
  const { cause, follows, spanSeconds } = end
  const over: LifeOver = { cause, follows, spanSeconds, at: now.toISOString() }
  const ended = await writeLife(tx, row, { ...row.life, over }, now, 'quietly')
  return follows === 'delete'
    ? desireDeletion(tx, ended, { reason: cause === 'lifetime' ? 'lifetime_over' : 'idle_over' }, now)
    : desireRest(tx, ended, follows === 'suspend' ? 'suspended' : 'stopped')
}

/** An event of its own, and a word in the shells of whoever is in the guest. */
async function announce(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  life: StoredLife,
  { cause, due }: LifeEnd,
  now: Date,
): Promise<EnvironmentRow> {
  const announced = { ...life.announced, [cause]: { due: due.toISOString(), at: now.toISOString() } }
  const changed = await writeLife(tx, row, { ...life, announced }, now, 'with an event')
  if (changed.runner_id !== null)
    await requestOrders(tx, environmentWork.kind, [{ id: changed.id, runnerId: changed.runner_id }])
  return changed
}

/** Sets the timer of a machine whose life begins without anything else about it being decided. */
export async function beginLife(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<void> {
  const at = row.life === null ? null : timerOf(row, now)
  if (at !== null) await wakeAt(tx, 'environment', row.id, at)
}

/** Writes the life. Use alone makes no event: it comes every minute. */
export async function writeLife(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  life: StoredLife | null,
  now: Date,
  how: 'quietly' | 'with an event',
): Promise<EnvironmentRow> {
  const isNews = how === 'with an event'
  const changed = await tx
    .updateTable('environments')
    .set({
      life: life === null ? null : JSON.stringify(life),
      ...(isNews ? { status_version: sql`status_version + 1`, updated_at: now } : {}),
    })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
  if (isNews) {
    await recordEvent(tx, 'updated', toListedEnvironment(changed))
    await wake(tx, 'environment', changed.id)
  }
  return changed
}
