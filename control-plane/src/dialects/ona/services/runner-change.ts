import type { ServiceImpl } from '@connectrpc/connect'
import { runnerCreateSchema, runnerUpdateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { validate } from '../../../api/validation.ts'
import {
  changeRunner,
  createRunner,
  createRunnerToken,
  deleteRunner,
  runners,
  toRunner,
} from '../../../kinds/runner/index.ts'
import { RunnerKind } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import {
  CreateRunnerResponseSchema,
  CreateRunnerTokenResponseSchema,
  DeleteRunnerResponseSchema,
  RunnerPhase,
  type RunnerService,
  UpdateRunnerResponseSchema,
} from '../generated/gitpod/v1/runner_pb.ts'
import { nativeName } from '../translate/native-project.ts'
import { runnerName, toOnaRunner } from '../translate/runner.ts'
import { callOf } from '../wire/call.ts'
import { withFreeName } from './free-name.ts'
import { withLabels } from './with-labels.ts'

type Methods = 'createRunner' | 'updateRunner' | 'deleteRunner' | 'createRunnerToken'

/** The token of its agent goes by both names, since older clients know the first alone. */
const secretOf = (secret: string) => ({ accessToken: secret, exchangeToken: secret })

export const runnerChange: Pick<ServiceImpl<typeof RunnerService>, Methods> = {
  async createRunner({ name, kind, spec }, context) {
    if (kind === RunnerKind.LOCAL || kind === RunnerKind.LOCAL_CONFIGURATION)
      throw new HearthError(
        'unprocessable',
        'kind: must be RUNNER_KIND_REMOTE: every runner is a host of its own',
      )
    const region = spec?.configuration?.region
    const wanted = {
      labels: { [runnerName]: name },
      spec: region ? { region } : {},
    }
    return withFreeName(nativeName(name, 'runner'), (free) => {
      const body = validate(runnerCreateSchema, { name: free, ...wanted }, 'body')
      return callOf(context).perform(createRunner, body, CreateRunnerResponseSchema, ({ row, secret }) => ({
        runner: toOnaRunner(toRunner(row, 0)),
        ...secretOf(secret),
      }))
    })
  },

  async updateRunner({ runnerId: reference, name, spec }, context) {
    const call = callOf(context)
    if (spec?.configuration !== undefined)
      throw new HearthError(
        'unprocessable',
        'spec.configuration: must not be given: an agent is configured on its own host',
      )
    const labelling = withLabels(changeRunner, runners.lockForChange, { [runnerName]: name })
    const scheduling = schedulingOf(spec?.desiredPhase)
    const wanted = scheduling === undefined ? {} : { spec: { scheduling } }
    const body = validate(runnerUpdateSchema, wanted, 'body')
    return call.perform(labelling, { reference, body }, UpdateRunnerResponseSchema, () => ({}))
  },

  async deleteRunner({ runnerId: reference, force }, context) {
    const wanted = { reference, body: { force } }
    return callOf(context).perform(deleteRunner, wanted, DeleteRunnerResponseSchema, () => ({}))
  },

  async createRunnerToken({ runnerId: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(createRunnerToken, wanted, CreateRunnerTokenResponseSchema, ({ secret }) =>
      secretOf(secret),
    )
  },
}

/** An inactive runner gets nothing new; undefined where nothing is said. */
function schedulingOf(phase: RunnerPhase | undefined): 'enabled' | 'cordoned' | undefined {
  switch (phase) {
    case undefined:
    case RunnerPhase.UNSPECIFIED:
      return undefined
    case RunnerPhase.ACTIVE:
      return 'enabled'
    case RunnerPhase.INACTIVE:
      return 'cordoned'
    default:
      throw new HearthError(
        'unprocessable',
        `spec.desiredPhase: must be RUNNER_PHASE_ACTIVE or RUNNER_PHASE_INACTIVE, got ${RunnerPhase[phase]}`,
      )
  }
}
