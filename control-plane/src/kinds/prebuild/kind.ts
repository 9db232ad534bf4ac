import {
  idSchema,
  logTokenSchema,
  prebuildCreateSchema,
  prebuildPhaseSchema,
  prebuildKind as words,
} from '@hearth/contract'
import { readers, writers } from '../../api/caller.ts'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Kind } from '../../resource/define.ts'
import { recordSince } from '../../resource/retention.ts'
import { routesOf } from '../../resource/routes.ts'
import { createPrebuild } from './commands/create.ts'
import { cancelPrebuild, deletePrebuild } from './commands/end.ts'
import { createLogToken } from './commands/log-token.ts'
import { runDuePrebuilds } from './due.ts'
import { keepLogs } from './log/keep.ts'
import { logsRoute, openLogRoute } from './log/routes.ts'
import { forgetPrebuilds, prebuilds, wakeThoseInUse } from './queries.ts'
import { prebuildReconciler } from './reconcile.ts'
import { showPrebuild, showPrebuilds } from './show.ts'
import type { PrebuildRow } from './table.ts'
import { webhookRoute } from './webhook/route.ts'
import { explainPrebuild } from './why-queries.ts'

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: prebuilds.find,
  show: showPrebuild,
  showListed: showPrebuilds,
})
const change = {
  description: 'The prebuild',
  roles: writers,
  value: (row: PrebuildRow, tx: DatabaseTransaction) => showPrebuild(tx, row),
}

export const prebuildKind: Kind = {
  name: 'prebuild',
  routes: [
    routes.list(
      { summary: 'List prebuilds; deleted ones only with phase=deleted', description: words.tag },
      {
        name: nameQuery,
        projectId: idSchema.optional(),
        environmentClassId: idSchema.optional(),
        phase: prebuildPhaseSchema.optional(),
      },
      (queryable, { name, projectId, environmentClassId, phase, ...page }) =>
        prebuilds.list(queryable, page, {
          name,
          project_id: projectId,
          environment_class_id: environmentClassId,
          phase,
        }),
    ),
    routes.create(
      {
        ...change,
        summary: 'Make a prebuild: do the set-up of a project once, for environments that start from it',
        description: 'The prebuild, pending',
        body: prebuildCreateSchema,
      },
      createPrebuild,
    ),
    routes.show({ summary: 'Show a prebuild with its steps', description: 'The prebuild' }),
    routes.remove(
      {
        ...change,
        summary:
          'Delete a prebuild with its snapshot; environments that started from it go on. force=true does not wait for runners',
        description: 'The prebuild, going',
        status: 202,
        takesForce: true,
      },
      deletePrebuild,
    ),
    routes.action(
      'cancel',
      { ...change, summary: 'Stop the work on a prebuild, and remove what it has made', status: 202 },
      cancelPrebuild,
    ),
    routes.action(
      'log-token',
      {
        summary: 'Make a token that reads the log of this prebuild, and nothing else, for one hour',
        description: 'The token',
        roles: readers,
        schema: logTokenSchema,
        value: (token) => token,
      },
      createLogToken,
    ),
    logsRoute,
    routes.why('Say in words why a prebuild is as it is', explainPrebuild),
  ],
  openRoutes: [webhookRoute, openLogRoute],
  reconcilers: ({ quotas, encryption }) => [prebuildReconciler({ quotas, encryption })],
  everyMinute: async (services) => {
    await runDuePrebuilds(services)
    await keepLogs(services)
    await wakeThoseInUse(services.database)
  },
  everyHour: ({ database, clock }) => forgetPrebuilds(database, recordSince(clock.now())),
}
