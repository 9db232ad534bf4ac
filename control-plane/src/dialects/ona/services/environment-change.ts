import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import { changeEnvironment, environments, labelEnvironment } from '../../../kinds/environment/index.ts'
import {
  ArchiveEnvironmentResponseSchema,
  type EnvironmentService,
  StartEnvironmentResponseSchema,
  StopEnvironmentResponseSchema,
  UnarchiveEnvironmentResponseSchema,
  UpdateEnvironmentResponseSchema,
} from '../generated/gitpod/v1/environment_pb.ts'
import { changeOf } from '../translate/environment-change.ts'
import { environmentLabels } from '../translate/environment-labels.ts'
import { type Call, callOf } from '../wire/call.ts'
import { findHeldEnvironment } from './environment-shown.ts'
import { withPorts } from './port.ts'

type Methods =
  | 'startEnvironment'
  | 'stopEnvironment'
  | 'updateEnvironment'
  | 'archiveEnvironment'
  | 'unarchiveEnvironment'

const find = (call: Call, id: string) => findHeldEnvironment(call.services.database, call, id)
const nothing = () => ({})

/** Under lock, so that one that is archived meanwhile is not started. */
const startUnarchived: typeof changeEnvironment = {
  ...changeEnvironment,
  async run(tx, context, input, prepared) {
    const { labels, name } = await environments.lockForChange(tx, context, input.reference)
    if (labels[environmentLabels.archivedAt] !== undefined)
      throw new HearthError('unprocessable', `environment ${name} is archived: unarchive it first`)
    return changeEnvironment.run(tx, context, input, prepared)
  },
}

export const environmentChange: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  async startEnvironment({ environmentId: reference }, context) {
    const wanted = { reference, body: { spec: { desiredPhase: 'running' as const } } }
    return callOf(context).perform(startUnarchived, wanted, StartEnvironmentResponseSchema, nothing)
  },

  async stopEnvironment({ environmentId: reference }, context) {
    const wanted = { reference, body: { spec: { desiredPhase: 'stopped' as const } } }
    return callOf(context).perform(changeEnvironment, wanted, StopEnvironmentResponseSchema, nothing)
  },

  async updateEnvironment({ environmentId: reference, ...given }, context) {
    const call = callOf(context)
    const { id } = await find(call, reference)
    const wanted = { reference: id, body: changeOf(given) }
    const command = withPorts(labelEnvironment, given.spec?.ports, (row) => row.id)
    return call.perform(command, wanted, UpdateEnvironmentResponseSchema, nothing)
  },

  /** What is archived is stopped, and listed only where archived ones are asked for. */
  async archiveEnvironment({ environmentId: reference }, context) {
    const call = callOf(context)
    const { id, labels: before } = await find(call, reference)
    const since = before[environmentLabels.archivedAt] ?? call.services.clock.now().toISOString()
    const body = { labels: { [environmentLabels.archivedAt]: since }, rests: true }
    return call.perform(labelEnvironment, { reference: id, body }, ArchiveEnvironmentResponseSchema, nothing)
  },

  async unarchiveEnvironment({ environmentId: reference }, context) {
    const call = callOf(context)
    const { id } = await find(call, reference)
    const body = { labels: { [environmentLabels.archivedAt]: '' } }
    return call.perform(
      labelEnvironment,
      { reference: id, body },
      UnarchiveEnvironmentResponseSchema,
      nothing,
    )
  },
}
