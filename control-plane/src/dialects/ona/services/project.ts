import type { ServiceImpl } from '@connectrpc/connect'
import { projectCreateSchema, projectUpdateSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { labelled } from '../../../api/labelled.ts'
import { validate } from '../../../api/validation.ts'
import { environmentClasses } from '../../../kinds/environment-class/index.ts'
import {
  changeProject,
  createProject,
  deleteProject,
  type ProjectRow,
  projects,
  specOf,
  toProject,
} from '../../../kinds/project/index.ts'
import {
  CreateProjectResponseSchema,
  DeleteProjectResponseSchema,
  type ProjectService,
  UpdateProjectEnvironmentClassesResponseSchema,
  UpdateProjectResponseSchema,
} from '../generated/gitpod/v1/project_pb.ts'
import { nativeName, nativePrebuilds, nativeRepositories } from '../translate/native-project.ts'
import { labels, toOnaClasses, toOnaProject } from '../translate/project.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { page, someOf } from '../wire/paging.ts'

const mostClasses = 1_000

/** Finds the id of a class by its id or its name. */
async function classFinder(queryable: Queryable, { caller: { organizationId } }: Call) {
  const rows = await environmentClasses.list(queryable, { organizationId, limit: mostClasses })
  const ids = new Map(rows.flatMap(({ id, name }) => [[id, id] as const, [name, id] as const]))
  return (reference: string) => ids.get(reference)
}

async function shown(queryable: Queryable, row: ProjectRow, call: Call) {
  return { project: toOnaProject(toProject(row), await classFinder(queryable, call)) }
}

/** The name of Hearth that a new project gets: one that is taken is made another. */
async function freeName({ services, caller }: Call, name: string): Promise<string> {
  const wanted = nativeName(name)
  const taken = await projects.find(services.database, caller, wanted)
  return taken === undefined ? wanted : `${wanted}-${newId().slice(-6)}`
}

type Methods =
  | 'createProject'
  | 'getProject'
  | 'listProjects'
  | 'updateProject'
  | 'deleteProject'
  | 'listProjectEnvironmentClasses'
  | 'updateProjectEnvironmentClasses'

export const projectService: Pick<ServiceImpl<typeof ProjectService>, Methods> = {
  async createProject(given, context) {
    const call = callOf(context)
    const wanted = {
      name: await freeName(call, given.name),
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
    const body = validate(projectCreateSchema, wanted, 'body')
    return call.perform(createProject, body, CreateProjectResponseSchema, (row, tx) => shown(tx, row, call))
  },

  async getProject({ projectId }, context) {
    const call = callOf(context)
    const { database } = call.services
    return shown(database, await projects.get(database, call.caller, projectId), call)
  },

  async listProjects({ pagination, filter }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { organizationId } = call.caller
    const having = { id: someOf(filter?.projectIds), creator: someOf(filter?.creatorIds) }
    const found = await page(pagination, (asked) =>
      projects.list(database, { ...asked, organizationId }, having),
    )
    const idOf = await classFinder(database, call)
    const items = found.rows.map((row) => toOnaProject(toProject(row), idOf))
    return { pagination: found.pagination, projects: items }
  },

  async updateProject(given, context) {
    const call = callOf(context)
    const { projectId: reference, initializer, prebuildConfiguration } = given
    const { labels: before } = await projects.get(call.services.database, call.caller, reference)
    const wanted = {
      labels: labelled(before, {
        [labels.name]: given.name,
        [labels.automations]: given.automationsFilePath,
        [labels.devcontainer]: given.devcontainerFilePath,
      }),
      spec: {
        ...(initializer === undefined ? {} : { repositories: nativeRepositories(initializer) }),
        ...(prebuildConfiguration === undefined ? {} : { prebuilds: nativePrebuilds(prebuildConfiguration) }),
      },
    }
    const body = validate(projectUpdateSchema, wanted, 'body')
    return call.perform(changeProject, { reference, body }, UpdateProjectResponseSchema, ({ row }, tx) =>
      shown(tx, row, call),
    )
  },

  async deleteProject({ projectId: reference }, context) {
    const wanted = { reference, body: { force: false } }
    return callOf(context).perform(deleteProject, wanted, DeleteProjectResponseSchema, () => ({}))
  },

  async listProjectEnvironmentClasses({ projectId }, context) {
    const call = callOf(context)
    const { database } = call.services
    const row = await projects.get(database, call.caller, projectId)
    const classes = toOnaClasses(specOf(row).environmentClasses, await classFinder(database, call))
    return { pagination: {}, projectEnvironmentClasses: classes }
  },

  async updateProjectEnvironmentClasses({ projectId: reference, projectEnvironmentClasses }, context) {
    const ordered = projectEnvironmentClasses.toSorted((one, other) => one.order - other.order)
    const classes = ordered.flatMap(({ environmentClass }) =>
      environmentClass.case === 'environmentClassId' ? [environmentClass.value] : [],
    )
    const body = validate(projectUpdateSchema, { spec: { environmentClasses: classes } }, 'body')
    const answer = UpdateProjectEnvironmentClassesResponseSchema
    return callOf(context).perform(changeProject, { reference, body }, answer, () => ({}))
  },
}
