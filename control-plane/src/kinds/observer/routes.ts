import {
  listQuerySchema,
  listSchema,
  observerAccessSchema,
  observerCreateSchema,
  observerRenewSchema,
  observerSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Application } from '../../api/application.ts'
import { type Caller, readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, page } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { requireResource } from '../quota/index.ts'
import { accessOf, requireObserverMessaging } from './access.ts'
import {
  deleteObserver,
  extendObserver,
  findObserver,
  insertObserver,
  listObservers,
  lockObserver,
} from './queries.ts'
import { type ObserverRow, toObserver } from './table.ts'

const tag = 'Observers'
const path = '/v1/observers'
const millisecondsPerHour = 3_600_000

export function addObserverRoutes(application: Application, services: Services): void {
  const { database, messaging, clock } = services
  const after = (hours: number) => new Date(clock.now().getTime() + hours * millisecondsPerHour)

  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List observers',
    roles: readers,
    query: listQuerySchema,
    answer: { status: 200, schema: listSchema(observerSchema), description: 'Observers' },
    handle: async ({ caller, query }) => {
      const rows = await listObservers(database, { organizationId: caller.organizationId, ...query })
      return { status: 200, value: page(rows, query.limit, toObserver) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Make a way to read one’s organization’s events from NATS; the answer holds its credentials',
    roles: readers,
    body: observerCreateSchema,
    answer: { status: 201, schema: observerAccessSchema, description: 'The observer and how it reads' },
    handle: async ({ caller, body, once }) => {
      requireObserverMessaging(services)
      return once(async (tx) => {
        const { organizationId, principalId: creator } = caller
        await requireResource(tx, organizationId, caller.limits, 'observers')
        const { hours, start, ...made } = body
        const row = await insertObserver(tx, { ...made, organizationId, creator, expiresAt: after(hours) })
        await messaging.ensureObserver(toObserver(row), start)
        return { status: 201, value: await accessOf(services, row) }
      })
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show an observer, without its credentials',
    roles: readers,
    params: idParams,
    answer: { status: 200, schema: observerSchema, description: 'The observer' },
    handle: async ({ caller, params }) => {
      const row = await findObserver(database, caller.organizationId, params.id)
      return { status: 200, value: toObserver(found(row, 'observer', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/credentials`,
    tag,
    summary:
      'New credentials for an observer, which goes on where it is; for who made it, and administrators',
    roles: readers,
    params: idParams,
    body: observerRenewSchema,
    answer: { status: 201, schema: observerAccessSchema, description: 'The observer and how it reads' },
    handle: async ({ caller, params, body, once }) => {
      requireObserverMessaging(services)
      return once(async (tx) => {
        const row = own(await lockObserver(tx, caller.organizationId, params.id), caller, params.id)
        await messaging.ensureObserver(toObserver(row), 'oldest')
        const extended = await extendObserver(tx, row.id, after(body.hours))
        return { status: 201, value: await accessOf(services, extended) }
      })
    },
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary: 'Delete an observer: its credentials reach nothing from then on',
    roles: readers,
    params: idParams,
    answer: { status: 200, schema: observerSchema, description: 'The observer as it was' },
    handle: async ({ caller, params }) =>
      transact(database, async (tx) => {
        const row = own(await lockObserver(tx, caller.organizationId, params.id), caller, params.id)
        // Safe to repeat, as `transact` may.
        await messaging.removeObserver(row.id)
        await deleteObserver(tx, row.id)
        return { status: 200, value: toObserver(row) }
      }),
  })
}

/** The row, for its creator and administrators. */
function own(row: ObserverRow | undefined, caller: Caller, id: string): ObserverRow {
  const observer = found(row, 'observer', id)
  if (observer.creator === caller.principalId || caller.roles.includes('administrator')) return observer
  throw new HearthError('forbidden', `observer ${observer.name} is someone else’s`)
}
