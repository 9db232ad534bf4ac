import {
  idSchema,
  nameSchema,
  spacePhaseSchema,
  spaceTypeSchema,
  spaceUpdateSchema,
  spaceKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeSpace } from './commands/change.ts'
import { spaces } from './queries.ts'
import { type SpaceRow, toSpace } from './table.ts'
import { explainSpace } from './why-queries.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: spaces.find,
  show: (_, row: SpaceRow) => toSpace(row),
})

export const spaceKind: Kind = {
  name: 'space',
  routes: [
    routes.list(
      { summary: 'List the spaces of a web app, or of all', description: words.tag },
      {
        name: nameSchema.optional(),
        webAppId: idSchema.optional(),
        environmentId: idSchema.optional(),
        type: spaceTypeSchema.optional(),
        phase: spacePhaseSchema.optional(),
      },
      (queryable, { name, webAppId, environmentId, type, phase, ...page }) =>
        spaces.list(queryable, page, {
          name,
          web_app_id: webAppId,
          environment_id: environmentId,
          type,
          phase,
        }),
    ),
    routes.show({ summary: 'Show a space', description: 'The space' }),
    routes.update(
      {
        description: 'The space',
        roles: writers,
        summary: 'Stop or start a space, or change its variables or cron jobs',
        body: spaceUpdateSchema,
      },
      changeSpace,
    ),
    routes.why('Say in words why a space is as it is', (queryable, row) => explainSpace(queryable, row)),
  ],
}
