import type { ServiceImpl } from '@connectrpc/connect'
import { type Service, serviceCreateSchema, serviceUpdateSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
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
import { labelled } from '../translate/labelled.ts'
import {
  labelsOf,
  nameOfReference,
  nativeVariables,
  requireMachine,
  requireManual,
  triggersOf,
} from '../translate/native-automation.ts'
import { nativeReadiness, requireNoStop, toOnaService } from '../translate/service.ts'
import { type Call, callOf } from '../wire/call.ts'
import { page, someOf } from '../wire/paging.ts'

const shown = (row: ProcessRow, { origin }: Call) => toOnaService(toProcess(row) as Service, origin)

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
        variables: nativeVariables(spec?.env ?? []),
        readiness: nativeReadiness(spec?.commands?.ready, spec?.readinessTimeout),
        start: false,
      },
    }
    const body = validate(serviceCreateSchema, wanted, 'body')
    return call.perform(createService, body, CreateServiceResponseSchema, (row) => ({
      service: shown(row, call),
    }))
  },

  async getService({ id }, context) {
    const call = callOf(context)
    return { service: shown(await processQueries.service.get(call.services.database, call.caller, id), call) }
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
    return { pagination: found.pagination, services: found.rows.map((row) => shown(row, call)) }
  },

  /** What is not given stays. How it stands is reported by its machine alone. */
  async updateService({ id: reference, metadata, spec }, context) {
    const call = callOf(context)
    requireManual(triggersOf(metadata?.triggeredBy?.trigger ?? []))
    requireMachine(spec?.runsOn)
    requireNoStop(spec?.commands?.stop)
    const before = await processQueries.service.get(call.services.database, call.caller, reference)
    const { start, ready } = spec?.commands ?? {}
    const changes = {
      ...(start === undefined ? {} : { command: start }),
      ...(spec === undefined || spec.env.length === 0 ? {} : { variables: nativeVariables(spec.env) }),
      ...(ready === undefined ? {} : { readiness: nativeReadiness(ready, spec?.readinessTimeout) }),
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
