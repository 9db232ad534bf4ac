import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { requestOrder } from '../../database/outbox.ts'
import type { Placement } from '../../placement/place.ts'
import { placeAll, type Waiting } from '../../placement/place-all.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { continueJob } from '../job/index.ts'
import { observeFleet, wantedBy } from './fleet.ts'
import { movePhase } from './phase.ts'
import { lockEnvironment } from './queries.ts'

/** Placed at once at most, so that one transaction stays short; the rest follow in the next. */
const mostPlaced = 100
/** So many of the line are looked at. */
const mostWaiting = 2_000
/** Those in front are told each time why they still wait; for the others it would change with every machine that comes or goes. */
const toldEachTime = 10

/**
 * Gives an organization's waiting machines their runners, the oldest first: all in one pass, so that the fleet is
 * observed once and two placements never promise the same room.
 */
export const placementReconciler: Reconciler = {
  kind: 'placement',
  async reconcile(organizationId, { tx, clock, timings }) {
    const now = clock.now()
    const candidates = await observeFleet(tx, organizationId, now)
    const line = await waitingLine(tx, organizationId)
    const placements = placeAll(line, candidates)
    let placed = 0
    let more = false
    for (const [position, { id, told }] of line.entries()) {
      const placement = placements.get(id)
      if (placement === undefined) continue
      if (placement.runnerId !== null) {
        if (placed < mostPlaced) placed += await putOn(tx, id, placement.runnerId, placement.reason, now)
        else more = true
      } else if (told === null || (position < toldEachTime && told !== placement.reason)) {
        await tell(tx, id, placement, now)
      }
    }
    if (more) return now
    return line.length > placed ? new Date(now.getTime() + timings.placementRest) : null
  },
}

interface InLine extends Waiting {
  /** The reason its status gives for waiting. */
  told: string | null
}

async function waitingLine(tx: DatabaseTransaction, organizationId: string): Promise<InLine[]> {
  const rows = await tx
    .selectFrom('environments')
    .innerJoin('environment_classes', 'environment_classes.id', 'environments.environment_class_id')
    .select([
      'environments.id',
      'virtual_cpus',
      'memory_mebibytes',
      'disk_gibibytes',
      'claim_id',
      'warm_pool_id',
      sql<string>`environments.spec->'plan'->>'image'`.as('image'),
      sql<string | null>`environments.status->>'placement'`.as('told'),
      'environment_classes.spec as class_spec',
    ])
    .where('environments.organization_id', '=', organizationId)
    .where('phase', '=', 'pending')
    .where('desired_phase', '=', 'running')
    .orderBy('environments.id')
    .limit(mostWaiting)
    .execute()
  return rows.map((row) => ({ id: row.id, wanted: wantedBy(row), told: row.told }))
}

/** 1 when it was placed, 0 when it is no longer waiting. */
async function putOn(
  tx: DatabaseTransaction,
  id: string,
  runnerId: string,
  reason: string,
  now: Date,
): Promise<number> {
  const row = await lockEnvironment(tx, id)
  if (row?.phase !== 'pending' || row.desired_phase !== 'running') return 0
  const status = { ...row.status, placement: reason }
  await movePhase(tx, row, { phase: 'provisioning', status, runnerId, now })
  await requestOrder(tx, { id, runnerId })
  const entry = { time: now.toISOString(), level: 'info' as const, message: `placed ${reason}` }
  await continueJob(tx, { operation: 'environment.provision', id }, [entry])
  return 1
}

async function tell(tx: DatabaseTransaction, id: string, placement: Placement, now: Date): Promise<void> {
  const row = await lockEnvironment(tx, id)
  if (row?.phase !== 'pending') return
  await movePhase(tx, row, { phase: 'pending', status: { ...row.status, placement: placement.reason }, now })
}
