import { type EnvironmentClassSpec, environmentWork } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import type { Placement } from '../../../placement/place.ts'
import { placeAll, type Waiting } from '../../../placement/place-all.ts'
import type { Reconciler } from '../../../reconciling/reconciler.ts'
import { wakeAll } from '../../../reconciling/wake.ts'
import { continueJobs } from '../../job/index.ts'
import { decideMove, type PhaseMove, writeMoves } from '../lifecycle/phase.ts'
import { lockEnvironments } from '../queries.ts'
import type { EnvironmentRow, StoredSource } from '../table.ts'
import { isAwaited, lockPlacement, readFleet, tryLockPlacement, wantedBy } from './fleet.ts'
import { readSources, type Sources } from './sources.ts'

/** Most environments placed in one transaction, so that it stays short; the rest follow in the next. */
const mostPlaced = 100
/** Most waiting environments considered in one pass. */
const mostWaiting = 2_000
/**
 * How many waiting environments, from the front, get their reason updated each time; for the others it would change
 * with every environment that comes or goes.
 */
const updatedEachTime = 10

/**
 * Places an organization's waiting environments, those before others that somebody waits for, then the oldest first, in one pass: the fleet is read once, and two
 * placements never reserve the same capacity.
 */
export const placementReconciler: Reconciler = {
  kind: 'placement',
  async reconcile(organizationId, { tx, clock, timings }) {
    const now = clock.now()
    await lockPlacement(tx, organizationId)
    const candidates = await readFleet(tx, organizationId, now)
    const { line, sources } = await readWaiting(tx, organizationId)
    const placements = placeAll(line, candidates)
    const fitting = line.filter(({ id }) => isPlaced(placements.get(id)))
    const chosen = fitting.slice(0, mostPlaced)
    const toUpdate = line.filter((waiting, position) =>
      needsUpdate(waiting, position, placements.get(waiting.id)),
    )
    const ids = [...chosen, ...toUpdate].map(({ id }) => id)
    await writePlacements(tx, await lockEnvironments(tx, ids), { placements, sources }, now)
    await wakeAll(tx, 'snapshot', snapshotsToCopy(line, placements))
    if (fitting.length > chosen.length) return now
    return line.length > fitting.length ? new Date(now.getTime() + timings.placementRest) : null
  },
}

/**
 * Places environments of one class, which start from the same, in the transaction that created them, when no others wait
 * and no other transaction is placing. False when they are left to the reconcilers, which the caller must wake.
 */
export async function placeAtOnce(
  tx: DatabaseTransaction,
  rows: readonly EnvironmentRow[],
  classSpec: EnvironmentClassSpec,
  now: Date,
): Promise<boolean> {
  const [first] = rows
  if (first === undefined || rows.length > mostPlaced) return false
  const { organization_id: organizationId } = first
  const ids = rows.map(({ id }) => id)
  if (!(await tryLockPlacement(tx, organizationId, ids))) return false
  const candidates = await readFleet(tx, organizationId, now)
  const sources = await readSources(tx, [first.source])
  const line = rows.map((row) => {
    const source = sources.wanted(row.source)
    return { id: row.id, wanted: wantedBy({ ...row, image: classSpec.image, class_spec: classSpec }, source) }
  })
  const placements = placeAll(line, candidates)
  if (!ids.every((id) => isPlaced(placements.get(id)))) return false
  await writePlacements(tx, rows, { placements, sources }, now)
  return true
}

/**
 * Moves the rows that still wait to their runners; one that got none stores the reason. The rows must have been read
 * under lock.
 */
async function writePlacements(
  tx: DatabaseTransaction,
  rows: readonly EnvironmentRow[],
  { placements, sources }: { placements: ReadonlyMap<string, Placement>; sources: Sources },
  now: Date,
): Promise<void> {
  const placed: { id: string; runnerId: string; reason: string }[] = []
  const moves: PhaseMove[] = []
  const settled: Pick<EnvironmentRow, 'id' | 'source'>[] = []
  for (const row of rows) {
    const placement = placements.get(row.id)
    if (placement === undefined || row.phase !== 'pending' || row.desired_phase !== 'running') continue
    const { runnerId, reason } = placement
    const status = { ...row.status, placement: reason }
    if (runnerId === null) {
      moves.push(decideMove(row, { phase: 'pending', status, now }))
      continue
    }
    placed.push({ id: row.id, runnerId, reason })
    if (row.source === null) {
      moves.push(decideMove(row, { phase: 'provisioning', status, runnerId, now }))
      continue
    }
    const start = sources.settled(row.source, runnerId, placement.from)
    const { source } = start
    settled.push({ id: row.id, source })
    const startReason = start.reason ?? status.startReason ?? null
    const change = { phase: 'provisioning', status: { ...status, startReason }, runnerId, now } as const
    moves.push(decideMove({ ...row, source }, change))
  }
  await writeSources(tx, settled)
  await writeMoves(tx, moves)
  await requestOrders(tx, environmentWork.kind, placed)
  await continueJobs(
    tx,
    placed.map(({ id, reason }) => ({
      operation: 'environment.provision',
      id,
      entries: [{ time: now.toISOString(), level: 'info', message: `placed ${reason}` }],
    })),
  )
}

/** From what environments start is known when they are placed. */
async function writeSources(
  tx: DatabaseTransaction,
  settled: readonly Pick<EnvironmentRow, 'id' | 'source'>[],
): Promise<void> {
  if (settled.length === 0) return
  const changes = settled.map(({ id, source }) => ({ id, source, snapshot_id: source?.snapshotId ?? null }))
  await sql`
    UPDATE environments AS row SET source = change.source, source_snapshot_id = change.snapshot_id
    FROM json_to_recordset(${JSON.stringify(changes)}::json) AS change(id uuid, source jsonb, snapshot_id uuid)
    WHERE row.id = change.id`.execute(tx)
}

const isPlaced = (placement: Placement | undefined) => placement !== undefined && placement.runnerId !== null

function needsUpdate({ storedReason }: InLine, position: number, placement: Placement | undefined): boolean {
  if (placement === undefined || placement.runnerId !== null) return false
  return storedReason === null || (position < updatedEachTime && storedReason !== placement.reason)
}

/** Snapshots for which no runner that holds them has room: they decide whether others are to have them. */
function snapshotsToCopy(line: readonly InLine[], placements: ReadonlyMap<string, Placement>): string[] {
  const unplaced = line.filter(
    ({ id, wanted: { source } }) =>
      source?.isRequired === true && source.phase === 'ready' && !isPlaced(placements.get(id)),
  )
  return [...new Set(unplaced.flatMap(({ source }) => source?.snapshotId ?? []))]
}

interface InLine extends Waiting {
  /** The snapshot that it starts from. */
  source: StoredSource | null
  /** The reason for waiting that its status holds. */
  storedReason: string | null
}

/** Environments that wait for a runner, in turn; with an id, those that start from that snapshot. */
export async function readWaiting(
  tx: DatabaseTransaction,
  organizationId: string,
  snapshotId: string | null = null,
): Promise<{ line: InLine[]; sources: Sources }> {
  const rows = await tx
    .selectFrom('environments')
    .innerJoin('environment_classes', 'environment_classes.id', 'environments.environment_class_id')
    .select([
      'environments.id',
      'virtual_cpus',
      'memory_mebibytes',
      'disk_gibibytes',
      'claim_id',
      'owner_kind',
      'source',
      'needs',
      sql<string>`environments.spec->'plan'->>'image'`.as('image'),
      sql<string | null>`environments.status->>'placement'`.as('stored_reason'),
      sql<{
        wantedRunnerId?: string
      }>`jsonb_strip_nulls(jsonb_build_object('wantedRunnerId', environments.status->'wantedRunnerId'))`.as(
        'status',
      ),
      'environment_classes.spec as class_spec',
    ])
    .where('environments.organization_id', '=', organizationId)
    .where('phase', '=', 'pending')
    .where('desired_phase', '=', 'running')
    .$if(snapshotId !== null, (query) => query.where('source_snapshot_id', '=', snapshotId))
    .orderBy(sql`${isAwaited} DESC`)
    .orderBy('environments.id')
    .limit(mostWaiting)
    .execute()
  const sources = await readSources(
    tx,
    rows.map(({ source }) => source),
  )
  const line = rows.map((row) => ({
    id: row.id,
    source: row.source,
    wanted: wantedBy(row, sources.wanted(row.source)),
    storedReason: row.stored_reason,
  }))
  return { line, sources }
}
