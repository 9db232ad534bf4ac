import { idSchema, nameSchema, webAppPhaseSchema, webAppKind as words } from '@hearth/contract'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { webApps } from './queries.ts'
import { toWebApp, type WebAppRow } from './table.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: webApps.find,
  show: (_, row: WebAppRow) => toWebApp(row),
})

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
    routes.show({ summary: 'Show a web app', description: 'The web app' }),
  ],
}
