import { isDeepStrictEqual } from 'node:util'
import type { Presence, RunnerFacts } from '@hearth/contract'
import { canonicalJson, toError } from '@hearth/foundation'
import type { Services } from '../../api/services.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { runners, touchRunners } from './queries.ts'
import { settleRunner } from './settle.ts'
import type { RunnerRow } from './table.ts'

type Tools = Pick<Services, 'database' | 'clock' | 'timings' | 'log'>

/** Stores heartbeats, any number in one statement; those of older epochs are ignored. */
export async function notePresences(tools: Tools, presences: readonly Presence[]): Promise<void> {
  const now = tools.clock.now()
  const beats = presences.map(({ runnerId, epoch }) => ({ runnerId, epoch }))
  const touched = await transact(tools.database, (tx) => touchRunners(tx, beats, now))
  const rows = new Map(touched.map((row) => [row.id, row]))
  for (const presence of presences) {
    const row = rows.get(presence.runnerId)
    if (row === undefined || row.epoch !== presence.epoch) continue
    await storeFacts(tools, row, presence, now).catch((error: unknown) => {
      tools.log.warn({ err: toError(error), runnerId: row.id }, 'could not store the facts of a heartbeat')
    })
  }
}

async function storeFacts(
  { database, timings }: Tools,
  row: RunnerRow,
  presence: Presence,
  now: Date,
): Promise<void> {
  const leaving = presence.leaving === true
  // Heartbeats may arrive out of order: one older than the last is ignored.
  if (!leaving && row.status.leftAt != null && presence.sentAt <= row.status.leftAt) return
  const known = row.phase !== 'offline' && canonicalJson(row.status.facts) === canonicalJson(presence.facts)
  if (known && !leaving) return
  await transact(database, async (tx) => {
    const locked = await runners.lockById(tx, row.id)
    if (locked === undefined || locked.epoch !== presence.epoch) return
    const sighting = { facts: presence.facts, lastSeenAt: now, leftAt: leaving ? presence.sentAt : null }
    await settleRunner(tx, locked, sighting, {
      now,
      listeningSince: now,
      leaseMilliseconds: timings.runnerLease,
    })
    const served = ({ ingress, ingressFault }: Partial<RunnerFacts>) => ({
      ingress,
      ingressFault,
    })
    if (!isDeepStrictEqual(served(locked.status.facts ?? {}), served(presence.facts)))
      await wakeRoutes(tx, locked.id)
  })
}

/** Has the routes to the machines of a runner look again, which serves routes now, or does not any more. */
export async function wakeRoutes(tx: DatabaseTransaction, runnerId: string): Promise<void> {
  const rows = await tx
    .selectFrom('environments')
    .select('id')
    .where('runner_id', '=', runnerId)
    .where('has_routes', '=', true)
    .execute()
  await wakeAll(
    tx,
    'route',
    rows.map(({ id }) => id),
  )
}
