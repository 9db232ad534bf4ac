import { projectCreateSchema } from '@hearth/contract'
import { validate } from '../../../api/validation.ts'
import { withPlan } from '../../../kinds/environment/index.ts'
import { createProject } from '../../../kinds/project/index.ts'
import { CreateProjectFromEnvironmentResponseSchema } from '../generated/gitpod/v1/project_pb.ts'
import { nativeName } from '../translate/native-project.ts'
import { labels } from '../translate/project.ts'
import type { Call } from '../wire/call.ts'
import { findHeldEnvironment } from './environment-shown.ts'
import { withFreeName } from './free-name.ts'
import { shownProject } from './project-one.ts'

/** A project of what an environment was made with, and of its class. Secrets stay with the project that has them. */
export async function createFromEnvironment(call: Call, name: string, environmentId: string) {
  const { database } = call.services
  const environment = await findHeldEnvironment(database, call, environmentId)
  const { plan } = (await withPlan(database, environment)).spec
  const wanted = {
    labels: { [labels.name]: name },
    spec: {
      repositories: plan.repositories.map(({ url, name, branch, setup }) => ({ url, name, branch, setup })),
      variables: plan.variables,
      setup: plan.projectSetup,
      environmentClasses: [environment.environment_class_id],
      ...plan.processes,
    },
  }
  const answer = CreateProjectFromEnvironmentResponseSchema
  return withFreeName(nativeName(name), (free) => {
    const body = validate(projectCreateSchema, { name: free, ...wanted }, 'body')
    return call.perform(createProject, body, answer, (row, tx) => shownProject(tx, row, call))
  })
}
