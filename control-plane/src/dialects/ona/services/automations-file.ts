import type { ServiceImpl } from '@connectrpc/connect'
import { serviceCreateSchema, taskCreateSchema } from '@hearth/contract'
import { validate } from '../../../api/validation.ts'
import { upsertProcesses } from '../../../kinds/process/index.ts'
import {
  type EnvironmentAutomationService,
  UpsertAutomationsFileResponseSchema,
} from '../generated/gitpod/v1/environment_automation_pb.ts'
import { nativeService, nativeTask } from '../translate/automations-file.ts'
import { callOf } from '../wire/call.ts'

export const automationsFileMethods: Pick<
  ServiceImpl<typeof EnvironmentAutomationService>,
  'upsertAutomationsFile'
> = {
  async upsertAutomationsFile({ environmentId: environment, automationsFile }, context) {
    const { tasks = {}, services = {} } = automationsFile ?? {}
    const wanted = {
      environment,
      tasks: Object.entries(tasks).map(([reference, task]) =>
        validate(taskCreateSchema, nativeTask(environment, reference, task), 'body'),
      ),
      services: Object.entries(services).map(([reference, service]) =>
        validate(serviceCreateSchema, nativeService(environment, reference, service), 'body'),
      ),
    }
    return callOf(context).perform(upsertProcesses, wanted, UpsertAutomationsFileResponseSchema, (rows) => {
      const idsOf = (kind: 'task' | 'service') => rows.filter((row) => row.kind === kind).map(({ id }) => id)
      return { updatedTaskIds: idsOf('task'), updatedServiceIds: idsOf('service') }
    })
  },
}
