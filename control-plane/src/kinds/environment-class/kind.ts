import {
  environmentClassCreateSchema,
  environmentClassUpdateSchema,
  nameSchema,
  environmentClassKind as words,
} from '@hearth/contract'
import { administrators } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeEnvironmentClass, createEnvironmentClass, deleteEnvironmentClass } from './commands.ts'
import { environmentClasses } from './queries.ts'
import { toEnvironmentClass } from './table.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: environmentClasses.find,
  show: (_, row) => toEnvironmentClass(row),
})

export const environmentClassKind: Kind = {
  name: 'environment-class',
  routes: [
    routes.list(
      { summary: 'List environment classes', description: 'Environment classes' },
      { name: nameSchema.optional() },
      (queryable, { name, ...page }) => environmentClasses.list(queryable, page, { name }),
    ),
    routes.create(
      {
        summary: 'Make an environment class',
        description: 'The class',
        roles: administrators,
        body: environmentClassCreateSchema,
      },
      createEnvironmentClass,
    ),
    routes.show({ summary: 'Show an environment class', description: 'The class' }),
    routes.update(
      {
        summary: 'Change an environment class; environments that exist keep their size',
        description: 'The class',
        roles: administrators,
        body: environmentClassUpdateSchema,
      },
      changeEnvironmentClass,
    ),
    routes.remove(
      {
        summary: 'Delete an environment class that nothing uses',
        description: 'The class as it was',
        roles: administrators,
      },
      deleteEnvironmentClass,
    ),
  ],
}
