import type { Presence } from '@hearth/contract'
import { type Clock, canonicalJson } from '@hearth/foundation'
import type { Database } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { lockRunner, touchRunner } from './queries.ts'
import { settleRunner } from './settle.ts'

/** Notes a heartbeat; one of an older epoch counts for nothing. */
export async function notePresence(database: Database, clock: Clock, presence: Presence): Promise<void> {
  const now = clock.now()
  const row = await touchRunner(database, presence.runnerId, presence.epoch, now)
  if (row === undefined) return
  const settled = row.phase !== 'offline' && canonicalJson(row.status.facts) === canonicalJson(presence.facts)
  if (settled) return
  await transact(database, async (tx) => {
    const locked = await lockRunner(tx, row.id)
    if (locked === undefined || locked.epoch !== presence.epoch) return
    await settleRunner(tx, locked, { facts: presence.facts, lastSeenAt: now }, now)
  })
}
