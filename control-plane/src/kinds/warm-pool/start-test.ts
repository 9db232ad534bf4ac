import type { QuotaLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { createEnvironment, type EnvironmentRow } from '../environment/index.ts'
import { projects } from '../project/index.ts'
import { refuseWhileDeleting } from './change.ts'
import { poolSpec, type WarmPoolRow } from './table.ts'

/**
 * Makes a machine outside the pool that runs the steps as the pool now has them, whether it is enabled or not, beside
 * any other test. It goes by itself, `keepSeconds` after its steps have ended. The row must have been read under lock.
 */
export async function startTest(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  wanted: { creator: string; limits: QuotaLimits; keepSeconds: number; now: Date },
): Promise<EnvironmentRow> {
  refuseWhileDeleting(row)
  const project = await projects.readById(tx, row.project_id)
  if (project === undefined || project.phase === 'deleting')
    throw new HearthError('conflict', `the project of pool ${row.name} is being deleted`)
  const environmentClass = await tx
    .selectFrom('environment_classes')
    .selectAll()
    .where('id', '=', row.environment_class_id)
    .executeTakeFirstOrThrow()
  const { setup, branch } = poolSpec(row)
  return createEnvironment(tx, {
    project,
    environmentClass,
    owner: { kind: 'warm-pool-test', id: row.id, setup, branch },
    keepSeconds: wanted.keepSeconds,
    nameStem: `${project.name}-test`,
    claimId: null,
    creator: wanted.creator,
    limits: wanted.limits,
    now: wanted.now,
  })
}
