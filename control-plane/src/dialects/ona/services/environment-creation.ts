import type { ServiceImpl } from '@connectrpc/connect'
import { projectCreateSchema } from '@hearth/contract'
import { validate } from '../../../api/validation.ts'
import { takeMachine, takeMachineOfRepositories } from '../../../kinds/claim/index.ts'
import {
  CreateEnvironmentFromProjectResponseSchema,
  CreateEnvironmentResponseSchema,
  type EnvironmentService,
} from '../generated/gitpod/v1/environment_pb.ts'
import type { EnvironmentSpec } from '../generated/gitpod/v1/environment_spec_pb.ts'
import { contextUrlOf, wantedMachine } from '../translate/machine-request.ts'
import { nativeRepositories } from '../translate/native-project.ts'
import { labels as projectLabels } from '../translate/project.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { shownEnvironment } from './environment-shown.ts'
import { withPorts } from './port.ts'

type Methods = 'createEnvironment' | 'createEnvironmentFromProject'
type Taken = Awaited<ReturnType<typeof takeMachine.run>>

const machineOf = ({ row }: Taken) => row.id

/** Its ports have routes that the row does not know of yet. */
async function answer({ row }: Taken, tx: Queryable, call: Call, spec: EnvironmentSpec | undefined) {
  const has_routes = row.has_routes || (spec?.ports.length ?? 0) > 0
  const held = { ...row, has_routes, held_by: call.caller.principalId }
  return { environment: await shownEnvironment(tx, held, call) }
}

export const environmentCreation: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  async createEnvironmentFromProject({ projectId, ...given }, context) {
    const call = callOf(context)
    const wanted = { projectId, ...wantedMachine(given) }
    return call.perform(
      withPorts(takeMachine, given.spec?.ports, machineOf),
      wanted,
      CreateEnvironmentFromProjectResponseSchema,
      (taken, tx) => answer(taken, tx, call, given.spec),
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
      withPorts(takeMachineOfRepositories, given.spec?.ports, machineOf),
      wanted,
      CreateEnvironmentResponseSchema,
      (taken, tx) => answer(taken, tx, call, given.spec),
    )
  },
}
