import { projectCreateSchema, projectUpdateSchema } from '@hearth/contract'
import { labelled } from '../../../api/labelled.ts'
import { validate } from '../../../api/validation.ts'
import { environmentClasses } from '../../../kinds/environment-class/index.ts'
import {
  changeProject,
  createProject,
  deleteProject,
  type ProjectRow,
  projects,
  toProject,
} from '../../../kinds/project/index.ts'
import {
  type CreateProjectRequest,
  CreateProjectResponseSchema,
  DeleteProjectResponseSchema,
  type UpdateProjectRequest,
  UpdateProjectResponseSchema,
} from '../generated/gitpod/v1/project_pb.ts'
import { nativeName, nativePrebuilds, nativeRepositories } from '../translate/native-project.ts'
import { labels, toOnaProject } from '../translate/project.ts'
import type { Call, Queryable } from '../wire/call.ts'
import { withFreeName } from './free-name.ts'
import { withLabels } from './with-labels.ts'

const mostClasses = 1_000

/** Finds the id of a class by its id or its name. */
export async function classFinder(queryable: Queryable, { caller: { organizationId } }: Call) {
  const rows = await environmentClasses.list(queryable, { organizationId, limit: mostClasses })
  const ids = new Map(rows.flatMap(({ id, name }) => [[id, id] as const, [name, id] as const]))
  return (reference: string) => ids.get(reference)
}

export async function shownProject(queryable: Queryable, row: ProjectRow, call: Call) {
  return { project: toOnaProject(toProject(row), await classFinder(queryable, call)) }
}

export async function createOne(call: Call, given: CreateProjectRequest) {
  const wanted = {
    labels: labelled(
      {},
      {
        [labels.name]: given.name,
        [labels.automations]: given.automationsFilePath,
        [labels.devcontainer]: given.devcontainerFilePath,
      },
    ),
    spec: {
      repositories: nativeRepositories(given.initializer),
      prebuilds: nativePrebuilds(given.prebuildConfiguration),
    },
  }
  return withFreeName(nativeName(given.name), (name) => {
    const body = validate(projectCreateSchema, { name, ...wanted }, 'body')
    return call.perform(createProject, body, CreateProjectResponseSchema, (row, tx) =>
      shownProject(tx, row, call),
    )
  })
}

export async function changeOne(call: Call, given: UpdateProjectRequest) {
  const { projectId: reference, initializer, prebuildConfiguration } = given
  const labelling = withLabels(changeProject, projects.lockForChange, {
    [labels.name]: given.name,
    [labels.automations]: given.automationsFilePath,
    [labels.devcontainer]: given.devcontainerFilePath,
  })
  const wanted = {
    spec: {
      ...(initializer === undefined ? {} : { repositories: nativeRepositories(initializer) }),
      ...(prebuildConfiguration === undefined ? {} : { prebuilds: nativePrebuilds(prebuildConfiguration) }),
    },
  }
  const body = validate(projectUpdateSchema, wanted, 'body')
  return call.perform(labelling, { reference, body }, UpdateProjectResponseSchema, ({ row }, tx) =>
    shownProject(tx, row, call),
  )
}

export async function deleteOne(call: Call, reference: string) {
  const wanted = { reference, body: { force: false } }
  return call.perform(deleteProject, wanted, DeleteProjectResponseSchema, () => ({}))
}
