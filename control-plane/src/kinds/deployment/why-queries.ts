import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { type DeploymentRow, toDeployment } from './table.ts'
import { explain } from './why.ts'

/** Reads what a deployment depends on, and explains its phase. */
export async function explainDeployment(queryable: Queryable, row: DeploymentRow): Promise<Explanation> {
  const place = await queryable
    .selectFrom('spaces')
    .innerJoin('environments', 'environments.id', 'spaces.environment_id')
    .select(['spaces.name as space', 'environments.name', 'environments.phase'])
    .where('spaces.id', '=', row.space_id)
    .executeTakeFirstOrThrow()
  const reasons = explain({
    deployment: toDeployment(row),
    space: place.space,
    environment: { name: place.name, phase: place.phase },
  })
  return { kind: 'Deployment', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
