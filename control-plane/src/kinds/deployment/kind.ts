import { deploymentPhaseSchema, idSchema, deploymentKind as words } from '@hearth/contract'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { deployments } from './queries.ts'
import { type DeploymentRow, toDeployment } from './table.ts'

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
      { summary: 'List the deployments of a space, or of all, the newest first', description: words.tag },
      {
        name: nameQuery,
        spaceId: idSchema.optional(),
        webAppId: idSchema.optional(),
        phase: deploymentPhaseSchema.optional(),
      },
      (queryable, { name, spaceId, webAppId, phase, ...page }) =>
        deployments.list(
          queryable,
          { ...page, newestFirst: true },
          { name, space_id: spaceId, web_app_id: webAppId, phase },
        ),
    ),
    routes.show({ summary: 'Show a deployment', description: 'The deployment' }),
  ],
}
