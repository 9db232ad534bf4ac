import type { ServiceImpl } from '@connectrpc/connect'
import { processLimits, type Task, taskCreateSchema, taskUpdateSchema } from '@hearth/contract'
import { labelled } from '../../../api/labelled.ts'
import { validate } from '../../../api/validation.ts'
import {
  deleteProcess,
  type ProcessRow,
  processes,
  processQueries,
  toProcess,
  updateProcess,
} from '../../../kinds/process/index.ts'
import { createTask } from '../../../kinds/task/index.ts'
import {
  CreateTaskResponseSchema,
  DeleteTaskResponseSchema,
  type EnvironmentAutomationService,
  UpdateTaskResponseSchema,
} from '../generated/gitpod/v1/environment_automation_pb.ts'
import {
  labelsOf,
  nameOfReference,
  requireMachine,
  requireManual,
  triggersOf,
} from '../translate/native-automation.ts'
import { toOnaTask } from '../translate/task.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { page, someOf } from '../wire/paging.ts'
import { environmentOf, secretFinder } from './automation-secrets.ts'

/** Tasks and services of some environments, which are few in each. */
function around(queryable: Queryable, { caller: { organizationId } }: Call, ids: readonly string[]) {
  const limit = processLimits.processes * ids.length
  return processes.list(queryable, { organizationId, limit }, { environment_id: ids })
}

async function shown(queryable: Queryable, rows: readonly ProcessRow[], call: Call) {
  const depending = rows.filter(({ spec }) => spec.dependsOn.length > 0)
  const ids = [...new Set(depending.map(({ environment_id }) => environment_id))]
  const others = ids.length === 0 ? [] : await around(queryable, call, ids)
  const secretIn = await secretFinder(queryable, call, rows)
  return rows.map((row) =>
    toOnaTask(
      toProcess(row) as Task,
      secretIn(row.environment_id),
      (name) => others.find((one) => one.environment_id === row.environment_id && one.name === name)?.id,
    ),
  )
}

/** The names of what is given by ids, or by references as in a file. */
async function namesOf(call: Call, environmentId: string, given: readonly string[]): Promise<string[]> {
  if (given.length === 0) return []
  const others = await around(call.services.database, call, [environmentId])
  return given.map((one) => others.find(({ id }) => id === one)?.name ?? nameOfReference(one))
}

type Methods = 'createTask' | 'getTask' | 'listTasks' | 'updateTask' | 'deleteTask'

export const taskMethods: Pick<ServiceImpl<typeof EnvironmentAutomationService>, Methods> = {
  async createTask({ environmentId, metadata, spec, dependsOn }, context) {
    const call = callOf(context)
    requireManual(triggersOf(metadata?.triggeredBy ?? []))
    requireMachine(spec?.runsOn)
    const { reference = '', name, description } = metadata ?? {}
    const wanted = {
      ...(reference === '' ? {} : { name: nameOfReference(reference) }),
      labels: labelled({}, labelsOf({ reference, name, description })),
      spec: {
        environment: environmentId,
        command: spec?.command ?? '',
        ...(await environmentOf(call, environmentId, spec?.env ?? [])),
        dependsOn: await namesOf(call, environmentId, dependsOn),
        start: false,
      },
    }
    const body = validate(taskCreateSchema, wanted, 'body')
    return call.perform(createTask, body, CreateTaskResponseSchema, async (row, tx) => {
      const [task] = await shown(tx, [row], call)
      return { task }
    })
  },

  async getTask({ id }, context) {
    const call = callOf(context)
    const { database } = call.services
    const [task] = await shown(database, [await processQueries.task.get(database, call.caller, id)], call)
    return { task }
  },

  async listTasks({ pagination, filter }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { organizationId } = call.caller
    const having = {
      id: someOf(filter?.taskIds),
      environment_id: someOf(filter?.environmentIds),
      name: someOf(filter?.references.map(nameOfReference)),
    }
    const found = await page(pagination, (asked) =>
      processQueries.task.list(database, { ...asked, organizationId }, having),
    )
    return { pagination: found.pagination, tasks: await shown(database, found.rows, call) }
  },

  /** What is not given stays, also of lists, which cannot be given empty. */
  async updateTask({ id: reference, metadata, spec, dependsOn }, context) {
    const call = callOf(context)
    requireManual(triggersOf(metadata?.triggeredBy?.trigger ?? []))
    requireMachine(spec?.runsOn)
    const before = await processQueries.task.get(call.services.database, call.caller, reference)
    const changes = {
      ...(spec?.command === undefined ? {} : { command: spec.command }),
      ...(spec?.env.length ? await environmentOf(call, before.environment_id, spec.env) : {}),
      ...(dependsOn.length === 0 ? {} : { dependsOn: await namesOf(call, before.environment_id, dependsOn) }),
    }
    const wanted = {
      ...(metadata === undefined ? {} : { labels: labelled(before.labels, labelsOf(metadata)) }),
      ...(Object.keys(changes).length === 0 ? {} : { spec: changes }),
    }
    const body = validate(taskUpdateSchema, wanted, 'body')
    return call.perform(updateProcess('task'), { reference, body }, UpdateTaskResponseSchema, () => ({}))
  },

  async deleteTask({ id: reference }, context) {
    const wanted = { reference, body: { force: false } }
    return callOf(context).perform(deleteProcess('task'), wanted, DeleteTaskResponseSchema, () => ({}))
  },
}
