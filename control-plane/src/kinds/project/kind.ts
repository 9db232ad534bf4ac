import { nameSchema, projectCreateSchema, projectUpdateSchema, projectKind as words } from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeProject, createProject, deleteProject } from './commands.ts'
import { projects } from './queries.ts'
import { projectReconciler } from './reconcile.ts'
import { toProject } from './table.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: projects.find,
  show: (_, row) => toProject(row),
})

export const projectKind: Kind = {
  name: 'project',
  routes: [
    routes.list(
      { summary: 'List projects', description: 'Projects' },
      { name: nameSchema.optional() },
      (queryable, { name, ...page }) => projects.list(queryable, page, { name }),
    ),
    routes.create(
      {
        summary: 'Make a project',
        description: 'The project; secrets by name only',
        roles: writers,
        body: projectCreateSchema,
      },
      createProject,
    ),
    routes.show({ summary: 'Show a project', description: 'The project' }),
    routes.update(
      {
        summary: 'Change a project; a field that is given replaces the whole field',
        description: 'The project',
        roles: writers,
        body: projectUpdateSchema,
        value: ({ row }) => toProject(row),
      },
      changeProject,
    ),
    routes.remove(
      {
        summary:
          'Delete a project with its pools and environments; claimed environments only with force=true',
        description: 'The project, going',
        roles: writers,
        status: 202,
        takesForce: true,
      },
      deleteProject,
    ),
  ],
  reconcilers: () => [projectReconciler],
}
