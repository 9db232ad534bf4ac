import type { RunnerFacts } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake, wakeAll } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import { decide, leaseEnd } from './decide.ts'
import { environmentIdsToWake, poolIdsToWake, setRunnerStatus } from './queries.ts'
import { type RunnerRow, toRunner } from './table.ts'

export interface Sighting {
  facts?: RunnerFacts
  epoch?: number
  lastSeenAt?: Date
}

/**
 * Writes the phase that follows from what is known of a runner, when anything changed, and wakes the machines it
 * concerns. The row must have been read under lock.
 */
export async function settleRunner(
  tx: DatabaseTransaction,
  row: RunnerRow,
  sighting: Sighting,
  now: Date,
): Promise<{ row: RunnerRow; next: Date | null }> {
  const lastSeenAt = sighting.lastSeenAt ?? row.last_seen_at
  const phase = decide({ phase: row.phase, scheduling: row.spec.scheduling, lastSeenAt, now })
  const newFacts =
    sighting.facts !== undefined && canonicalJson(sighting.facts) !== canonicalJson(row.status.facts)
  const changes =
    phase !== row.phase ||
    newFacts ||
    sighting.epoch !== undefined ||
    row.status.observedSpecVersion !== row.spec_version
  let after = row
  if (changes) {
    after = await setRunnerStatus(tx, row, { ...sighting, phase })
    await recordEvent(tx, 'updated', toRunner(after, 0))
    await wakeAll(tx, 'environment', await environmentIdsToWake(tx, after))
    await wakeAll(tx, 'warm-pool', await poolIdsToWake(tx, after))
    await wake(tx, 'runner', row.id)
  }
  const silentFrom =
    lastSeenAt === null || phase === 'offline' || phase === 'deleted' ? null : leaseEnd(lastSeenAt)
  return { row: after, next: silentFrom }
}
