import type { ServiceImpl } from '@connectrpc/connect'
import { projectUpdateSchema } from '@hearth/contract'
import { validate } from '../../../api/validation.ts'
import { changeProject, projects, specOf, toProject } from '../../../kinds/project/index.ts'
import {
  type ProjectService,
  UpdateProjectEnvironmentClassesResponseSchema,
} from '../generated/gitpod/v1/project_pb.ts'
import { toOnaClasses, toOnaProject } from '../translate/project.ts'
import { callOf } from '../wire/call.ts'
import { page, someOf } from '../wire/paging.ts'
import { projectBatches } from './project-batch.ts'
import { createFromEnvironment } from './project-from-environment.ts'
import { changeOne, classFinder, createOne, deleteOne, shownProject } from './project-one.ts'

type Methods =
  | keyof typeof projectBatches
  | 'createProject'
  | 'createProjectFromEnvironment'
  | 'getProject'
  | 'listProjects'
  | 'updateProject'
  | 'deleteProject'
  | 'listProjectEnvironmentClasses'
  | 'updateProjectEnvironmentClasses'

export const projectService: Pick<ServiceImpl<typeof ProjectService>, Methods> = {
  ...projectBatches,

  createProject: (given, context) => createOne(callOf(context), given),

  createProjectFromEnvironment: ({ name, environmentId }, context) =>
    createFromEnvironment(callOf(context), name, environmentId),

  async getProject({ projectId }, context) {
    const call = callOf(context)
    const { database } = call.services
    return shownProject(database, await projects.get(database, call.caller, projectId), call)
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

  updateProject: (given, context) => changeOne(callOf(context), given),

  deleteProject: ({ projectId }, context) => deleteOne(callOf(context), projectId),

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
