import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { projectCreateSchema } from '@hearth/contract'
import { validate } from '../../../api/validation.ts'
import { takeMachine, takeMachineOfRepositories } from '../../../kinds/claim/index.ts'
import {
  CreateEnvironmentFromProjectResponseSchema,
  CreateEnvironmentResponseSchema,
  type EnvironmentService,
} from '../generated/gitpod/v1/environment_pb.ts'
import type { EnvironmentSchema } from '../generated/gitpod/v1/environment_resource_pb.ts'
import { contextUrlOf, wantedMachine } from '../translate/machine-request.ts'
import { nativeRepositories } from '../translate/native-project.ts'
import { labels as projectLabels } from '../translate/project.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { shownEnvironment } from './environment-shown.ts'

type Methods = 'createEnvironment' | 'createEnvironmentFromProject'
type Taken = Awaited<ReturnType<typeof takeMachine.run>>

function answer(
  { row }: Taken,
  tx: Queryable,
  call: Call,
): Promise<MessageInitShape<typeof EnvironmentSchema>> {
  return shownEnvironment(tx, { ...row, held_by: call.caller.principalId }, call)
}

export const environmentCreation: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  async createEnvironmentFromProject({ projectId, ...given }, context) {
    const call = callOf(context)
    const wanted = { projectId, ...wantedMachine(given) }
    return call.perform(
      takeMachine,
      wanted,
      CreateEnvironmentFromProjectResponseSchema,
      async (taken, tx) => ({
        environment: await answer(taken, tx, call),
      }),
    )
  },

  /** A machine of its repositories, and so of the project that is kept for those. */
  async createEnvironment(given, context) {
    const call = callOf(context)
    const initializer = given.spec?.content?.initializer
    const shownName = contextUrlOf(given.spec)
      ?.replace(/^https?:\/\//, '')
      .slice(0, 80)
    const nameless = {
      name: 'any',
      labels: shownName === undefined ? {} : { [projectLabels.name]: shownName },
      spec: { repositories: nativeRepositories(initializer) },
    }
    const { name: _, ...project } = validate(projectCreateSchema, nameless, 'body')
    const wanted = { ...wantedMachine(given), project }
    return call.perform(
      takeMachineOfRepositories,
      wanted,
      CreateEnvironmentResponseSchema,
      async (taken, tx) => ({
        environment: await answer(taken, tx, call),
      }),
    )
  },
}
