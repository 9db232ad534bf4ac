import type { ServiceImpl } from '@connectrpc/connect'
import { projectUpdateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { validate } from '../../../api/validation.ts'
import {
  changeProject,
  countProjects,
  projects,
  searchProjects,
  specOf,
  toProject,
} from '../../../kinds/project/index.ts'
import { SortOrder } from '../generated/gitpod/v1/pagination_pb.ts'
import {
  type ProjectService,
  UpdateProjectEnvironmentClassesResponseSchema,
} from '../generated/gitpod/v1/project_pb.ts'
import { RunnerKind } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { labels, toOnaClasses, toOnaProject } from '../translate/project.ts'
import { callOf } from '../wire/call.ts'
import { counted, isOnlyOther, page } from '../wire/paging.ts'
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

  async listProjects({ pagination, filter, count, sort }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { organizationId } = call.caller
    if (sort !== undefined && (sort.field !== '' || sort.order === SortOrder.ASC))
      throw new HearthError('unprocessable', 'sort: must be absent: the newest come first')
    if (isOnlyOther(filter?.runnerKinds, [RunnerKind.REMOTE]))
      return { pagination: {}, ...(await counted(count, async () => 0)) }
    const search = {
      ids: filter?.projectIds,
      creatorIds: filter?.creatorIds,
      named: { part: filter?.search ?? '', label: labels.name },
      repositories: filter?.specRemoteUris,
    }
    const found = await page(pagination, (asked) =>
      searchProjects(database, { ...asked, organizationId }, search),
    )
    const idOf = await classFinder(database, call)
    const items = found.rows.map((row) => toOnaProject(toProject(row), idOf))
    return {
      pagination: found.pagination,
      projects: items,
      ...(await counted(count, () => countProjects(database, organizationId, search))),
    }
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
    const classes = ordered.map(({ environmentClass }) => {
      if (environmentClass.case === 'environmentClassId') return environmentClass.value
      throw new HearthError(
        'unprocessable',
        'projectEnvironmentClasses: each must be an environmentClassId: no runner is on the machine of whoever asks',
      )
    })
    const body = validate(projectUpdateSchema, { spec: { environmentClasses: classes } }, 'body')
    const answer = UpdateProjectEnvironmentClassesResponseSchema
    return callOf(context).perform(changeProject, { reference, body }, answer, () => ({}))
  },
}
