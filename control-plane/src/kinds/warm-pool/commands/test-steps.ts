import type { warmPoolTestCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { createEnvironment, type EnvironmentRow } from '../../environment/index.ts'
import { projects } from '../../project/index.ts'
import { poolSpec, type WarmPoolRow } from '../table.ts'
import { lockPool, type OnPool, refuseWhileDeleting } from './locked-pool.ts'

/**
 * Creates an environment outside the pool that runs the pool's current steps, even if the pool is disabled or has other
 * tests. It is deleted `keepSeconds` after its steps have ended.
 */
export const testWarmPool: Command<
  OnPool<z.output<typeof warmPoolTestCreateSchema>>,
  { pool: WarmPoolRow; test: EnvironmentRow }
> = {
  async run(tx, context, { reference, body: { keepSeconds } }) {
    const { services, caller } = context
    const pool = await lockPool(tx, context, reference)
    refuseWhileDeleting(pool)
    const project = await projects.readById(tx, pool.project_id)
    if (project === undefined || project.phase === 'deleting')
      throw new HearthError('conflict', `the project of pool ${pool.name} is being deleted`)
    const environmentClass = await tx
      .selectFrom('environment_classes')
      .selectAll()
      .where('id', '=', pool.environment_class_id)
      .executeTakeFirstOrThrow()
    const { setup, branch } = poolSpec(pool)
    const test = await createEnvironment(tx, {
      project,
      environmentClass,
      owner: { kind: 'warm-pool-test', id: pool.id, setup, branch },
      keepSeconds,
      nameStem: `${project.name}-test`,
      claimId: null,
      creator: caller.principalId,
      limits: caller.limits,
      now: services.clock.now(),
    })
    return { pool, test }
  },
}
