import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import { changeEnvironment, labelEnvironment } from '../../../kinds/environment/index.ts'
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

export const environmentChange: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  async startEnvironment({ environmentId: reference }, context) {
    const call = callOf(context)
    const { labels, name } = await find(call, reference)
    if (labels[environmentLabels.archivedAt] !== undefined)
      throw new HearthError('unprocessable', `environment ${name} is archived: unarchive it first`)
    const wanted = { reference, body: { spec: { desiredPhase: 'running' as const } } }
    return call.perform(changeEnvironment, wanted, StartEnvironmentResponseSchema, nothing)
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
    const { id, phase } = await find(call, reference)
    const rests = ['stopped', 'suspended', 'failed', 'deleting', 'deleted'].includes(phase)
    const labels = { [environmentLabels.archivedAt]: call.services.clock.now().toISOString() }
    const body = { labels, ...(rests ? {} : { spec: { desiredPhase: 'stopped' as const } }) }
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
