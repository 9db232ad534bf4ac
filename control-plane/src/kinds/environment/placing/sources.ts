import type { Failure } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { StartFrom, WantedSource } from '../../../placement/place.ts'
import type { StoredSource } from '../table.ts'
import { type CopyOnItsWay, copiesInWords } from './copies-in-words.ts'

/** What is known of the snapshots that environments start from. */
export class Sources {
  constructor(
    private readonly snapshots: ReadonlyMap<string, FoundSnapshot>,
    private readonly prebuilds: ReadonlyMap<string, FoundPrebuild>,
  ) {}

  /** What placement is told; null for a start from the image. */
  wanted(source: StoredSource | null): WantedSource | null {
    if (source === null) return null
    const { prebuild } = source
    if (prebuild !== undefined) {
      const found = this.wantedPrebuild(prebuild)
      return source.memory ? found : { ...found, memoryRunnerIds: [] }
    }
    const found = this.snapshots.get(source.snapshotId)
    // Also where the record is gone: its end is the environment's failure.
    if (found === undefined) return null
    const runnerIds = found.runnerIds.filter((id) => source.runnerId === undefined || id === source.runnerId)
    const wantsMemory = source.memory && source.memoryWithheld === null
    const memoryRunnerIds = wantsMemory ? found.memoryRunnerIds.filter((id) => runnerIds.includes(id)) : []
    const { phase, copies } = found
    return { name: `snapshot ${found.name}`, phase, runnerIds, memoryRunnerIds, isRequired: true, copies }
  }

  private wantedPrebuild({ id, name }: NonNullable<StoredSource['prebuild']>): WantedSource {
    const found = this.prebuilds.get(id)
    const disk = this.snapshots.get(found?.snapshotId ?? '')
    const named = { name: `prebuild ${name}`, isRequired: false, copies: null }
    if (found === undefined || disk === undefined || found.isGoing)
      return { ...named, phase: 'deleted', runnerIds: [], memoryRunnerIds: [] }
    const memoryRunnerIds = found.templates.map(({ runnerId }) => runnerId)
    return { ...named, phase: disk.phase, runnerIds: disk.runnerIds, memoryRunnerIds }
  }

  /** What an environment that was placed starts from on its runner, and why not from what would have been quicker. */
  settled(
    source: StoredSource,
    runnerId: string,
    from: StartFrom,
  ): { source: StoredSource | null; reason: string | null } {
    const { prebuild } = source
    if (prebuild === undefined) return { source, reason: null }
    const found = this.prebuilds.get(prebuild.id)
    if (from === 'image' || found?.snapshotId == null) {
      const isThere = this.wantedPrebuild(prebuild).phase === 'ready'
      const reason = isThere
        ? `no runner with room holds prebuild ${prebuild.name}`
        : `prebuild ${prebuild.name} is not there any more`
      return { source: null, reason }
    }
    const template = found.templates.find((one) => one.runnerId === runnerId)
    if (from === 'memory' && template !== undefined)
      return { source: { ...source, snapshotId: template.snapshotId, memoryWithheld: null }, reason: null }
    const memoryWithheld = source.memory ? `its runner keeps no memory of prebuild ${prebuild.name}` : null
    return { source: { ...source, snapshotId: found.snapshotId, memoryWithheld }, reason: null }
  }
}

interface FoundSnapshot {
  name: string
  phase: WantedSource['phase']
  runnerIds: string[]
  /** Those of them that have its memory. */
  memoryRunnerIds: string[]
  /** What becomes of copies for other runners. */
  copies: string | null
}
interface FoundPrebuild {
  snapshotId: string | null
  isGoing: boolean
  /** Those whose memory is on their runner. */
  templates: { runnerId: string; snapshotId: string }[]
}

export async function readSources(
  queryable: Queryable,
  wanted: readonly (StoredSource | null)[],
): Promise<Sources> {
  const known = wanted.flatMap((source) => source ?? [])
  const prebuilds = await readPrebuilds(queryable, [
    ...new Set(known.flatMap(({ prebuild }) => prebuild?.id ?? [])),
  ])
  const named = known.flatMap(({ prebuild, snapshotId }) => (prebuild === undefined ? snapshotId : []))
  const built = [...prebuilds.values()].flatMap(({ snapshotId, templates }) => [
    ...(snapshotId === null ? [] : [snapshotId]),
    ...templates.map((template) => template.snapshotId),
  ])
  const snapshots = await readSnapshots(queryable, [...new Set([...named, ...built])])
  for (const prebuild of prebuilds.values()) {
    prebuild.templates = prebuild.templates.filter(({ snapshotId, runnerId }) => {
      const found = snapshots.get(snapshotId)
      return found?.phase === 'ready' && found.runnerIds.includes(runnerId)
    })
  }
  return new Sources(snapshots, prebuilds)
}

/** The runners on which a machine could go on from the memory of the snapshot or prebuild. */
export async function runnersWithMemory(
  queryable: Queryable,
  source: StoredSource,
): Promise<readonly string[]> {
  return (await readSources(queryable, [source])).wanted(source)?.memoryRunnerIds ?? []
}

async function readPrebuilds(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, FoundPrebuild>> {
  if (ids.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('prebuilds')
    .select([
      'id',
      'snapshot_id',
      'status',
      sql<boolean>`phase <> 'completed' OR desired_phase <> 'completed'`.as('is_going'),
    ])
    .where('id', 'in', ids)
    .execute()
  return new Map(
    rows.map((row) => {
      const templates = row.status.templates.flatMap(({ phase, runnerId, snapshotId }) =>
        phase === 'ready' && snapshotId !== null ? [{ runnerId, snapshotId }] : [],
      )
      return [row.id, { snapshotId: row.snapshot_id, isGoing: row.is_going, templates }]
    }),
  )
}

async function readSnapshots(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, FoundSnapshot>> {
  if (ids.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('snapshots')
    .leftJoin('snapshot_holders', 'snapshot_holders.snapshot_id', 'snapshots.id')
    .leftJoin('runners', 'runners.id', 'snapshot_holders.runner_id')
    .select([
      'snapshots.id',
      'snapshots.name',
      'snapshots.phase',
      'snapshot_holders.runner_id',
      'snapshot_holders.phase as holder_phase',
      'snapshot_holders.source',
      'snapshot_holders.failure',
      'runners.name as runner',
      sql<boolean>`runners.status->'facts'->'layerAddress' IS NOT NULL`.as('is_read'),
      sql<boolean>`coalesce((snapshots.status->'memory'->>'kept')::boolean, false)`.as('has_memory'),
    ])
    .where('snapshots.id', 'in', ids)
    .orderBy('runners.name')
    .execute()
  const found = new Map<string, FoundSnapshot>()
  for (const { id, name, phase } of rows) {
    if (found.has(id)) continue
    const holders = rows.filter((row) => row.id === id)
    const present = holders.filter(({ holder_phase }) => holder_phase === 'present')
    const made = present.filter(({ source, has_memory }) => has_memory && source?.kind === 'environment')
    const idsOf = (some: typeof holders) => some.flatMap(({ runner_id }) => runner_id ?? [])
    const readable = present.map(({ runner, is_read }) => ({ runner: runner ?? '', isRead: is_read }))
    const copies = copiesInWords(name, readable, holders.flatMap(toCopy))
    found.set(id, { name, phase, runnerIds: idsOf(present), memoryRunnerIds: idsOf(made), copies })
  }
  return found
}

function toCopy({
  runner,
  source,
  holder_phase: phase,
  failure,
}: {
  runner: string | null
  source: { kind: string; isGivenUp?: boolean } | null
  holder_phase: string | null
  failure: Failure | null
}): CopyOnItsWay[] {
  if (source?.kind !== 'runner' || phase === 'present' || phase === 'deleting' || runner === null) return []
  return [{ runner, isGivenUp: source.isGivenUp === true, failure }]
}

/** Why nothing can start from the snapshot; null where it can, or is being made. */
export async function sourceFailure(
  queryable: Queryable,
  source: StoredSource | null,
): Promise<Failure | null> {
  // What Hearth chose by itself is left where it cannot be used.
  if (source === null || source.prebuild !== undefined) return null
  const snapshot = await queryable
    .selectFrom('snapshots')
    .select(['name', 'phase', 'status'])
    .where('id', '=', source.snapshotId)
    .executeTakeFirst()
  switch (snapshot?.phase) {
    case 'pending':
    case 'creating':
    case 'ready':
      return null
    case 'failed': {
      const { code, message } = snapshot.status.failure ?? {
        code: 'internal',
        message: 'no cause was reported',
      }
      return { code, message: `snapshot ${snapshot.name}, which it was to start from, failed: ${message}` }
    }
    case 'deleting':
    case 'deleted':
    case undefined:
      return {
        code: 'layer_damaged',
        message: `snapshot ${snapshot?.name ?? source.snapshotId}, which it was to start from, is deleted`,
      }
  }
}
