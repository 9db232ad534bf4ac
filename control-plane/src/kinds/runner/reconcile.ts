import type { Services } from '../../api/services.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { decide } from './health.decide.ts'
import { hasFailures, readBoots, readElsewhere } from './health-queries.ts'
import { runners } from './queries.ts'
import { settleRunner } from './settle.ts'
import type { RunnerRow } from './table.ts'

/** Detects silent runners and hosts on which environments keep failing. Heartbeats are written as they arrive. */
export const runnerReconciler = ({ listening }: Pick<Services, 'listening'>): Reconciler => ({
  kind: 'runner',
  async reconcile(id, { tx, clock, timings }) {
    const row = await runners.lockById(tx, id)
    if (row === undefined) return null
    const now = clock.now()
    const health = await judge(tx, row, { now, probePauseMilliseconds: timings.hostProbe })
    const settled = await settleRunner(
      tx,
      row,
      { health },
      { now, listeningSince: listening.since, leaseMilliseconds: timings.runnerLease },
    )
    const { next } = settled
    const probe = settled.row.health?.probeAt ?? null
    if (probe === null || next === null || settled.row.phase === 'offline') return next
    // An environment that becomes ready does not wake its runner: while one may be on trial, its end is polled.
    const trial = new Date(Math.max(Date.parse(probe), now.getTime() + timings.hostProbe / 12))
    return trial < next ? trial : next
  },
})

async function judge(
  tx: DatabaseTransaction,
  row: RunnerRow,
  given: { now: Date; probePauseMilliseconds: number },
): Promise<RunnerRow['health']> {
  if (row.health === null && !(await hasFailures(tx, row.id))) return null
  const boots = await readBoots(tx, row.id)
  const failed = boots.filter(({ ready }) => !ready).map(({ configuration }) => configuration)
  const elsewhere = await readElsewhere(tx, row.id, failed)
  return decide({ health: row.health, boots, elsewhere, ...given })
}
