import type { ServiceImpl } from '@connectrpc/connect'
import type { Task } from '@hearth/contract'
import {
  type Execution,
  getExecution,
  lastExecution,
  searchExecutions,
  startProcess,
  stopExecution,
  toProcess,
} from '../../../kinds/process/index.ts'
import {
  type EnvironmentAutomationService,
  StartTaskResponseSchema,
  StopTaskExecutionResponseSchema,
} from '../generated/gitpod/v1/environment_automation_pb.ts'
import { nameOfReference } from '../translate/native-automation.ts'
import { nativeExecutionPhases, toOnaExecution } from '../translate/task.ts'
import { type Call, callOf } from '../wire/call.ts'
import { page } from '../wire/paging.ts'

const shown = (execution: Execution, { origin }: Call) =>
  toOnaExecution(execution, toProcess(execution.task) as Task, origin)

type Methods = 'startTask' | 'listTaskExecutions' | 'getTaskExecution' | 'stopTaskExecution'

export const executionMethods: Pick<ServiceImpl<typeof EnvironmentAutomationService>, Methods> = {
  async startTask({ id: reference }, context) {
    const call = callOf(context)
    return call.perform(
      startProcess('task'),
      { reference, body: {} },
      StartTaskResponseSchema,
      async (row, tx) => ({ taskExecution: shown(await lastExecution(tx, row), call) }),
    )
  },

  async listTaskExecutions({ pagination, filter }, context) {
    const call = callOf(context)
    const { organizationId } = call.caller
    const search = {
      taskIds: filter?.taskIds,
      taskNames: filter?.taskReferences.map(nameOfReference),
      environmentIds: filter?.environmentIds,
      phases: nativeExecutionPhases(filter?.phases ?? []),
    }
    const found = await page(pagination, (asked) =>
      searchExecutions(call.services.database, { ...asked, organizationId }, search),
    )
    return {
      pagination: found.pagination,
      taskExecutions: found.rows.map((execution) => shown(execution, call)),
    }
  },

  async getTaskExecution({ id }, context) {
    const call = callOf(context)
    return { taskExecution: shown(await getExecution(call.services.database, call.caller, id), call) }
  },

  async stopTaskExecution({ id: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(stopExecution, wanted, StopTaskExecutionResponseSchema, () => ({}))
  },
}
