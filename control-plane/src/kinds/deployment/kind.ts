import { deploymentPhaseSchema, idSchema, deploymentKind as words } from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { cancelDeployment } from './commands/cancel.ts'
import { deployments } from './queries.ts'
import { spaceRoutes } from './routes.ts'
import { type DeploymentRow, toDeployment } from './table.ts'
import { explainDeployment } from './why-queries.ts'

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: deployments.find,
  show: (_, row: DeploymentRow) => toDeployment(row),
})

export const deploymentKind: Kind = {
  name: 'deployment',
  routes: [
    routes.list(
      { summary: 'List the deployments of a space, or of all', description: words.tag },
      {
        name: nameQuery,
        spaceId: idSchema.optional(),
        webAppId: idSchema.optional(),
        phase: deploymentPhaseSchema.optional(),
      },
      (queryable, { name, spaceId, webAppId, phase, ...page }) =>
        deployments.list(queryable, page, { name, space_id: spaceId, web_app_id: webAppId, phase }),
    ),
    routes.show({ summary: 'Show a deployment', description: 'The deployment' }),
    routes.action(
      'cancel',
      {
        description: 'The deployment',
        roles: writers,
        summary: 'Give up a deployment that is on its way; the release before goes on',
        status: 202,
      },
      cancelDeployment,
    ),
    routes.why('Say in words why a deployment is as it is', (queryable, row) =>
      explainDeployment(queryable, row),
    ),
    ...spaceRoutes,
  ],
}
