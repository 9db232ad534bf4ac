import type { ServiceImpl } from '@connectrpc/connect'
import { type Service, serviceCreateSchema, serviceUpdateSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { labelled } from '../../../api/labelled.ts'
import { validate } from '../../../api/validation.ts'
import {
  deleteProcess,
  type ProcessRow,
  processQueries,
  startProcess,
  stopProcess,
  toProcess,
  updateProcess,
} from '../../../kinds/process/index.ts'
import { createService } from '../../../kinds/service/index.ts'
import { ServiceRole } from '../generated/gitpod/v1/automation_resource_pb.ts'
import {
  CreateServiceResponseSchema,
  DeleteServiceResponseSchema,
  type EnvironmentAutomationService,
  StartServiceResponseSchema,
  StopServiceResponseSchema,
  UpdateServiceResponseSchema,
} from '../generated/gitpod/v1/environment_automation_pb.ts'
import {
  labelsOf,
  nameOfReference,
  requireMachine,
  requireManual,
  triggersOf,
} from '../translate/native-automation.ts'
import { changedReadiness, nativeReadiness, requireNoStop, toOnaService } from '../translate/service.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { page, someOf } from '../wire/paging.ts'
import { environmentOf, secretFinder } from './automation-secrets.ts'

async function shown(queryable: Queryable, rows: readonly ProcessRow[], call: Call) {
  const secretIn = await secretFinder(queryable, call, rows)
  return rows.map((row) => toOnaService(toProcess(row) as Service, secretIn(row.environment_id), call.origin))
}

type Methods =
  | 'createService'
  | 'getService'
  | 'listServices'
  | 'updateService'
  | 'deleteService'
  | 'startService'
  | 'stopService'

export const serviceMethods: Pick<ServiceImpl<typeof EnvironmentAutomationService>, Methods> = {
  async createService({ environmentId, metadata, spec }, context) {
    const call = callOf(context)
    requireManual(triggersOf(metadata?.triggeredBy ?? []))
    requireMachine(spec?.runsOn)
    requireNoStop(spec?.commands?.stop)
    const { reference = '', name, description } = metadata ?? {}
    const wanted = {
      name: reference === '' ? `service-${newId().slice(-8)}` : nameOfReference(reference),
      labels: labelled({}, labelsOf({ reference, name, description })),
      spec: {
        environment: environmentId,
        command: spec?.commands?.start ?? '',
        ...(await environmentOf(call, environmentId, spec?.env ?? [])),
        readiness: nativeReadiness(spec?.commands?.ready, spec?.readinessTimeout),
        start: false,
      },
    }
    const body = validate(serviceCreateSchema, wanted, 'body')
    return call.perform(createService, body, CreateServiceResponseSchema, async (row, tx) => {
      const [service] = await shown(tx, [row], call)
      return { service }
    })
  },

  async getService({ id }, context) {
    const call = callOf(context)
    const { database } = call.services
    const row = await processQueries.service.get(database, call.caller, id)
    const [service] = await shown(database, [row], call)
    return { service }
  },

  async listServices({ pagination, filter }, context) {
    const call = callOf(context)
    const { organizationId } = call.caller
    // All have the same role.
    if (filter?.roles.length && !filter.roles.includes(ServiceRole.DEFAULT))
      return { pagination: {}, services: [] }
    const having = {
      id: someOf(filter?.serviceIds),
      environment_id: someOf(filter?.environmentIds),
      name: someOf(filter?.references.map(nameOfReference)),
    }
    const found = await page(pagination, (asked) =>
      processQueries.service.list(call.services.database, { ...asked, organizationId }, having),
    )
    return { pagination: found.pagination, services: await shown(call.services.database, found.rows, call) }
  },

  /** What is not given stays. How it stands is reported by its machine alone. */
  async updateService({ id: reference, metadata, spec }, context) {
    const call = callOf(context)
    requireManual(triggersOf(metadata?.triggeredBy?.trigger ?? []))
    requireMachine(spec?.runsOn)
    requireNoStop(spec?.commands?.stop)
    const before = await processQueries.service.get(call.services.database, call.caller, reference)
    const { readiness } = (toProcess(before) as Service).spec
    const { start, ready } = spec?.commands ?? {}
    const changes = {
      ...(start === undefined ? {} : { command: start }),
      ...(spec?.env.length ? await environmentOf(call, before.environment_id, spec.env) : {}),
      ...changedReadiness(readiness, ready, spec?.readinessTimeout),
    }
    const wanted = {
      ...(metadata === undefined ? {} : { labels: labelled(before.labels, labelsOf(metadata)) }),
      ...(Object.keys(changes).length === 0 ? {} : { spec: changes }),
    }
    const body = validate(serviceUpdateSchema, wanted, 'body')
    return call.perform(
      updateProcess('service'),
      { reference, body },
      UpdateServiceResponseSchema,
      () => ({}),
    )
  },

  async deleteService({ id: reference, force }, context) {
    const wanted = { reference, body: { force } }
    return callOf(context).perform(deleteProcess('service'), wanted, DeleteServiceResponseSchema, () => ({}))
  },

  async startService({ id: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(startProcess('service'), wanted, StartServiceResponseSchema, () => ({}))
  },

  async stopService({ id: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(stopProcess('service'), wanted, StopServiceResponseSchema, () => ({}))
  },
}
