import type { Explanation } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import { place } from '../../../placement/place.ts'
import { readFleet, wantedBy } from '../placing/fleet.ts'
import { readSources } from '../placing/sources.ts'
import { type EnvironmentRow, type PlannedEnvironmentRow, toEnvironment } from '../table.ts'
import { nameOfGone } from './owner.ts'
import type { EnvironmentSight } from './sight.ts'
import { explain } from './why.ts'

/** Reads an environment and what its state depends on, and explains its phase. */
export async function explainEnvironment(
  queryable: Queryable,
  row: PlannedEnvironmentRow,
  now: Date,
): Promise<Explanation> {
  const reasons = explain(await sightOf(queryable, row, now))
  return { kind: 'Environment', id: row.id, name: row.name, phase: row.phase, ...reasons }
}

async function sightOf(
  queryable: Queryable,
  row: PlannedEnvironmentRow,
  now: Date,
): Promise<EnvironmentSight> {
  const around = await queryable
    .selectFrom('environments')
    .leftJoin('projects', 'projects.id', 'environments.project_id')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .leftJoin('warm_pools', 'warm_pools.id', 'environments.owner_id')
    .leftJoin('prebuilds', 'prebuilds.id', 'environments.owner_id')
    .leftJoin('pipelines', 'pipelines.id', 'environments.owner_id')
    .leftJoin('claims', 'claims.id', 'environments.claim_id')
    .select([
      'projects.name as project',
      'projects.spec as project_spec',
      'runners.name as runner',
      'runners.phase as runner_phase',
      'runners.last_seen_at',
      sql<string | null>`coalesce(warm_pools.name, prebuilds.name, pipelines.name)`.as('owner'),
      'claims.name as claim',
    ])
    .where('environments.id', '=', row.id)
    .executeTakeFirst()
  return {
    environment: toEnvironment(row),
    phaseSince: row.phase_since,
    project:
      around?.project == null
        ? null
        : { name: around.project, onHostLoss: around.project_spec?.onHostLoss ?? 'wait' },
    runner:
      around?.runner == null || around.runner_phase === null
        ? null
        : { name: around.runner, phase: around.runner_phase, lastSeenAt: around.last_seen_at },
    owner: ownerNamed(row, around?.owner ?? null),
    claim: around?.claim ?? null,
    deletedBy: await principalName(queryable, row.deletion?.principalId ?? null),
    start: { prebuild: row.source?.prebuild?.name ?? null, reason: row.status.startReason ?? null },
    placement: row.phase === 'pending' ? await judgePlacement(queryable, row, now) : null,
  }
}

function ownerNamed({ owner_kind: kind }: EnvironmentRow, found: string | null): EnvironmentSight['owner'] {
  if (kind === null) return null
  const name = found ?? nameOfGone[kind]
  return name === null ? null : { kind, name }
}

async function principalName(queryable: Queryable, id: string | null): Promise<string | null> {
  if (id === null) return null
  const row = await queryable.selectFrom('principals').select('name').where('id', '=', id).executeTakeFirst()
  return row?.name ?? null
}

async function judgePlacement(
  queryable: Queryable,
  row: PlannedEnvironmentRow,
  now: Date,
): Promise<EnvironmentSight['placement']> {
  const environmentClass = await queryable
    .selectFrom('environment_classes')
    .select('spec')
    .where('id', '=', row.environment_class_id)
    .executeTakeFirst()
  if (environmentClass === undefined) return null
  const fleet = await readFleet(queryable, row.organization_id, now)
  const { image } = row.spec.plan
  const sources = await readSources(queryable, [row.source])
  const wanted = wantedBy({ ...row, image, class_spec: environmentClass.spec }, sources.wanted(row.source))
  const placement = place(wanted, fleet)
  const runner = fleet.find(({ id }) => id === placement.runnerId)?.name ?? null
  const refusals = placement.runnerId === null ? placement.refusals : []
  return { runner, reason: placement.reason, refusals }
}
