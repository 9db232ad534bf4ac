import { type Explanation, prebuildBootAttempts } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { buildPlan, prebuiltConfigurationOf } from '../environment/index.ts'
import { prebuildBefore } from './queries.ts'
import { showPrebuild } from './show.ts'
import { readLayersOf } from './snapshotting.ts'
import type { PrebuildRow } from './table.ts'
import { explain } from './why.ts'

/** Reads a prebuild with its surroundings, and explains its phase. */
export async function explainPrebuild(queryable: Queryable, row: PrebuildRow): Promise<Explanation> {
  const around = await queryable
    .selectFrom('prebuilds')
    .leftJoin('projects', 'projects.id', 'prebuilds.project_id')
    .leftJoin('environment_classes', 'environment_classes.id', 'prebuilds.environment_class_id')
    .leftJoin('environments', 'environments.id', 'prebuilds.environment_id')
    .select([
      'projects.name as project',
      'projects.spec as project_spec',
      'environment_classes.name as class_name',
      'environment_classes.spec as class_spec',
      'environments.name as machine',
      'environments.phase as machine_phase',
      sql<string | null>`environments.status->>'placement'`.as('placement'),
    ])
    .where('prebuilds.id', '=', row.id)
    .executeTakeFirstOrThrow()
  const { project_spec, class_spec } = around
  const newer = await queryable
    .selectFrom('prebuilds')
    .select('name')
    .where('project_id', '=', row.project_id)
    .where('environment_class_id', '=', row.environment_class_id)
    .where('phase', '=', 'completed')
    .where('configuration', '=', row.configuration)
    .where('failed_boots', '<', prebuildBootAttempts)
    .where('id', '>', row.id)
    .orderBy('id', 'desc')
    .executeTakeFirst()
  const reasons = explain({
    prebuild: await showPrebuild(queryable, row),
    phaseSince: row.phase_since,
    project: around.project ?? row.project_id,
    environmentClass: around.class_name ?? row.environment_class_id,
    before: row.phase === 'pending' ? await prebuildBefore(queryable, row) : null,
    environment:
      around.machine === null
        ? null
        : { name: around.machine, phase: around.machine_phase ?? 'deleted', placement: around.placement },
    runners: await runnersOf(queryable, row),
    layers: row.phase === 'deleting' || row.phase === 'cancelling' ? await readLayersOf(queryable, row) : [],
    isCurrent:
      project_spec !== null &&
      class_spec !== null &&
      prebuiltConfigurationOf(buildPlan(project_spec, class_spec, null)) === row.configuration,
    newer: newer?.name ?? null,
  })
  return { kind: 'Prebuild', id: row.id, name: row.name, phase: row.phase, ...reasons }
}

/** Names of the runners of its templates. */
async function runnersOf(queryable: Queryable, { status }: PrebuildRow): Promise<Map<string, string>> {
  const ids = status.templates.map(({ runnerId }) => runnerId)
  if (ids.length === 0) return new Map()
  const rows = await queryable.selectFrom('runners').select(['id', 'name']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}
