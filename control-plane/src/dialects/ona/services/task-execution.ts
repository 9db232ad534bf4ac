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
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { page } from '../wire/paging.ts'
import { secretFinder } from './automation-secrets.ts'

async function shown(queryable: Queryable, executions: readonly Execution[], call: Call) {
  const rows = executions.map(({ task }) => task)
  const secretIn = await secretFinder(queryable, call, rows)
  return executions.map((execution) => {
    const task = toProcess(execution.task) as Task
    return toOnaExecution(execution, task, secretIn(task.spec.environmentId), call.origin)
  })
}

type Methods = 'startTask' | 'listTaskExecutions' | 'getTaskExecution' | 'stopTaskExecution'

export const executionMethods: Pick<ServiceImpl<typeof EnvironmentAutomationService>, Methods> = {
  async startTask({ id: reference }, context) {
    const call = callOf(context)
    return call.perform(
      startProcess('task'),
      { reference, body: {} },
      StartTaskResponseSchema,
      async (row, tx) => {
        const [taskExecution] = await shown(tx, [await lastExecution(tx, row)], call)
        return { taskExecution }
      },
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
      taskExecutions: await shown(call.services.database, found.rows, call),
    }
  },

  async getTaskExecution({ id }, context) {
    const call = callOf(context)
    const { database } = call.services
    const [taskExecution] = await shown(database, [await getExecution(database, call.caller, id)], call)
    return { taskExecution }
  },

  async stopTaskExecution({ id: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(stopExecution, wanted, StopTaskExecutionResponseSchema, () => ({}))
  },
}
