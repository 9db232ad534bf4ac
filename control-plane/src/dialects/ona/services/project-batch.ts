import type { Message } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { validate } from '../../../api/validation.ts'
import type { Project, ProjectService } from '../generated/gitpod/v1/project_pb.ts'
import { ruleOf } from '../rules/index.ts'
import { type Call, callOf } from '../wire/call.ts'
import { connectErrorOf } from '../wire/error.ts'
import { changeOne, createOne, deleteOne } from './project-one.ts'

type Methods = 'createProjects' | 'updateProjects' | 'deleteProjects'

/** Each by itself and one after the other: one that fails stops no other. */
async function each<Item, Done>(items: readonly Item[], work: (item: Item) => Promise<Done>) {
  const done: Done[] = []
  const failed: { index: number; item: Item; error: string }[] = []
  for (const [index, item] of items.entries()) {
    try {
      done.push(await work(item))
    } catch (thrown) {
      failed.push({ index, item, error: connectErrorOf(thrown).rawMessage })
    }
  }
  return { done, failed }
}

/** What is asked for one is held to the rules of the method for one. */
function checked<Item extends Message>(item: Item): Item {
  const rule = ruleOf(item.$typeName)
  if (rule !== undefined) validate(rule, item, 'body')
  return item
}

const shown = (answers: readonly { project?: Project | undefined }[]) =>
  answers.flatMap(({ project }) => project ?? [])

export const projectBatches: Pick<ServiceImpl<typeof ProjectService>, Methods> = {
  async createProjects({ projects }, context) {
    const call = callOf(context)
    const { done, failed } = await each(projects, (one) => createOne(call, checked(one)))
    const failures = failed.map(({ index, item: { name }, error }) => ({ index, name, error }))
    return { createdProjects: shown(done), failedProjects: failures }
  },

  async updateProjects({ projects }, context) {
    const call = callOf(context)
    const { done, failed } = await each(projects, (one) => changeOne(call, checked(one)))
    const failures = failed.map(({ index, item: { projectId }, error }) => ({ index, projectId, error }))
    return { updatedProjects: shown(done), failedProjects: failures }
  },

  async deleteProjects({ projectIds }, context) {
    const call: Call = callOf(context)
    const { done, failed } = await each(projectIds, async (projectId) => {
      await deleteOne(call, projectId)
      return projectId
    })
    const failures = failed.map(({ index, item: projectId, error }) => ({ index, projectId, error }))
    return { deletedProjectIds: done, failedProjects: failures }
  },
}
