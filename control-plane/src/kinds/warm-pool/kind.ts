import {
  idSchema,
  warmPoolClearSchema,
  warmPoolCreateSchema,
  warmPoolUpdateSchema,
  warmPoolKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeWarmPool } from './commands/change.ts'
import { clearWarmPool } from './commands/clear.ts'
import { createWarmPool } from './commands/create.ts'
import { deleteWarmPool } from './commands/delete.ts'
import { instanceRoutes } from './instance-routes.ts'
import { warmPools } from './queries.ts'
import { warmPoolReconciler } from './reconcile.ts'
import { showWarmPool, showWarmPools } from './show.ts'
import { simulationRoute } from './simulate/route.ts'
import { explainWarmPool } from './why-queries.ts'

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: warmPools.find,
  show: showWarmPool,
  showListed: showWarmPools,
})

export const warmPoolKind: Kind = {
  name: 'warm-pool',
  routes: [
    routes.list(
      { summary: 'List warm pools', description: 'Warm pools' },
      { name: nameQuery, projectId: idSchema.optional() },
      (queryable, { name, projectId, ...page }) =>
        warmPools.list(queryable, page, { name, project_id: projectId }),
    ),
    routes.create(
      {
        summary: 'Make a warm pool: one per project and class',
        description: 'The pool, filling',
        roles: writers,
        body: warmPoolCreateSchema,
      },
      createWarmPool,
    ),
    routes.show({ summary: 'Show a warm pool with its counts', description: 'The pool' }),
    routes.why('Say in words why a pool is as it is', explainWarmPool),
    routes.update(
      {
        summary: 'Change a warm pool; members made from the old set-up are replaced one at a time',
        description: 'The pool',
        roles: writers,
        body: warmPoolUpdateSchema,
      },
      changeWarmPool,
    ),
    routes.remove(
      {
        summary: 'Delete a warm pool and its unclaimed environments',
        description: 'The pool, going',
        roles: writers,
        status: 202,
      },
      deleteWarmPool,
    ),
    routes.action(
      'clear',
      {
        summary: 'Remove every unclaimed member; with replenish the pool fills anew, without it stays empty',
        description: 'The pool, without its members',
        roles: writers,
        status: 202,
        body: warmPoolClearSchema,
      },
      clearWarmPool,
    ),
    simulationRoute,
    ...instanceRoutes,
  ],
  reconcilers: ({ quotas }) => [warmPoolReconciler(quotas)],
}
