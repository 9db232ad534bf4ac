import type { RunnerFacts, RunnerHealth } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { decide, silenceEnd, staysLeft } from './decide.ts'
import { environmentIdsOn, ownersToWake, setRunnerStatus, snapshotIdsOn } from './queries.ts'
import { type RunnerRow, toRunner } from './table.ts'

export interface Sighting {
  facts?: RunnerFacts
  epoch?: number
  lastSeenAt?: Date
  health?: RunnerHealth | null
  /** When its agent said that it stops; null when it is there. ISO 8601. */
  leftAt?: string | null
}

export interface Circumstances {
  now: Date
  listeningSince: Date | null
  leaseMilliseconds: number
}

/**
 * Writes a runner's new phase and status, if anything changed, and wakes the environments that depend on it. The row
 * must have been read under lock.
 */
export async function settleRunner(
  tx: DatabaseTransaction,
  row: RunnerRow,
  sighting: Sighting,
  { now, listeningSince, leaseMilliseconds }: Circumstances,
): Promise<{ row: RunnerRow; next: Date | null }> {
  const lastSeenAt = sighting.lastSeenAt ?? row.last_seen_at
  const health = sighting.health === undefined ? row.health : sighting.health
  const { scheduling } = row.spec
  const degraded = health !== null && health.degradedSince !== null
  const lease = { listeningSince, leaseMilliseconds, now }
  const saidLeft = sighting.leftAt === undefined ? (row.status.leftAt ?? null) : sighting.leftAt
  const leftAt = lastSeenAt !== null && staysLeft({ ...lease, lastSeenAt }) ? saidLeft : null
  const phase = decide({
    phase: row.phase,
    scheduling,
    lastSeenAt,
    degraded,
    left: saidLeft !== null,
    ...lease,
  })
  const newFacts =
    sighting.facts !== undefined && canonicalJson(sighting.facts) !== canonicalJson(row.status.facts)
  const changes =
    phase !== row.phase ||
    newFacts ||
    canonicalJson(health) !== canonicalJson(row.health) ||
    sighting.epoch !== undefined ||
    leftAt !== (row.status.leftAt ?? null) ||
    row.status.observedSpecVersion !== row.spec_version
  let after = row
  if (changes) {
    after = await setRunnerStatus(tx, row, { ...sighting, leftAt, phase })
    const environmentIds = await environmentIdsOn(tx, after.id)
    await recordEvent(tx, 'updated', toRunner(after, environmentIds.length))
    const owners = await ownersToWake(tx, after.id)
    const snapshotIds = await snapshotIdsOn(tx, after.id)
    // Last, and all in one statement: runners of one organization wake the same placement, and each waits until those
    // that woke it before have committed.
    await wakeMany(tx, [
      ...environmentIds.map((id) => ({ kind: 'environment' as const, id })),
      ...snapshotIds.map((id) => ({ kind: 'snapshot' as const, id })),
      ...owners,
      { kind: 'placement', id: after.organization_id },
      { kind: 'runner', id: row.id },
    ])
  }
  const waitsNoMore = phase === 'deleted' || (phase === 'offline' && leftAt === null)
  if (lastSeenAt === null || waitsNoMore) return { row: after, next: null }
  if (leftAt !== null) return { row: after, next: new Date(lastSeenAt.getTime() + leaseMilliseconds) }
  return {
    row: after,
    next: silenceEnd({ lastSeenAt, ...lease }) ?? new Date(now.getTime() + leaseMilliseconds),
  }
}
