import {
  idSchema,
  nameSchema,
  webAppCreateSchema,
  webAppPhaseSchema,
  webAppUpdateSchema,
  webAppKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeWebAppSpec, deleteWebApp, retryWebApp } from './commands/change.ts'
import { createWebApp } from './commands/create.ts'
import { webApps } from './queries.ts'
import { webAppReconciler } from './reconcile.ts'
import { toWebApp, type WebAppRow } from './table.ts'
import { explainWebApp } from './why-queries.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: webApps.find,
  show: (_, row: WebAppRow) => toWebApp(row),
})

const change = { description: 'The web app', roles: writers }

export const webAppKind: Kind = {
  name: 'web-app',
  routes: [
    routes.list(
      { summary: 'List web apps', description: words.tag },
      {
        name: nameSchema.optional(),
        environmentId: idSchema.optional(),
        phase: webAppPhaseSchema.optional(),
      },
      (queryable, { name, environmentId, phase, ...page }) =>
        webApps.list(queryable, page, { name, environment_id: environmentId, phase }),
    ),
    routes.create(
      {
        ...change,
        summary: 'Make a web app on a machine, with a space uat and a space production',
        body: webAppCreateSchema,
      },
      createWebApp,
    ),
    routes.show({ summary: 'Show a web app', description: 'The web app' }),
    routes.update(
      {
        ...change,
        summary: 'Change how a web app is shown; what it was made with stays',
        body: webAppUpdateSchema,
      },
      changeWebAppSpec,
    ),
    routes.action(
      'retry',
      { ...change, summary: 'Set a web app up again; what is there stays', status: 202 },
      retryWebApp,
    ),
    routes.remove(
      { ...change, summary: 'Delete a web app with its spaces, files and databases', status: 202 },
      deleteWebApp,
    ),
    routes.why('Say in words why a web app is as it is', (queryable, row) => explainWebApp(queryable, row)),
  ],
  reconcilers: () => [webAppReconciler],
}
