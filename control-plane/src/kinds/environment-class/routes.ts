import {
  environmentClassCreateSchema,
  environmentClassSchema,
  environmentClassUpdateSchema,
  listQuerySchema,
  listSchema,
  nameSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Application } from '../../api/application.ts'
import { administrators, readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idOrNameParams, page, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { isUniqueViolation } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { recordEvent } from '../event/index.ts'
import { requireResource } from '../quota/index.ts'
import {
  countUses,
  deleteEnvironmentClass,
  findEnvironmentClass,
  insertEnvironmentClass,
  listEnvironmentClasses,
  lockEnvironmentClass,
  updateEnvironmentClass,
} from './queries.ts'
import { toEnvironmentClass } from './table.ts'

const tag = 'Environment classes'
const path = '/v1/environment-classes'

export function addEnvironmentClassRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List environment classes',
    roles: readers,
    query: listQuerySchema.extend({ name: nameSchema.optional() }),
    answer: { status: 200, schema: listSchema(environmentClassSchema), description: 'Environment classes' },
    handle: async ({ caller, query }) => {
      const rows = await listEnvironmentClasses(database, { organizationId: caller.organizationId, ...query })
      return { status: 200, value: page(rows, query.limit, toEnvironmentClass) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Make an environment class',
    roles: administrators,
    body: environmentClassCreateSchema,
    answer: { status: 201, schema: environmentClassSchema, description: 'The class' },
    handle: async ({ caller, body, once }) =>
      once(async (tx) => {
        const created = { organizationId: caller.organizationId, creator: caller.principalId, ...body }
        await requireResource(tx, caller.organizationId, caller.limits, 'environmentClasses')
        const row = await insertEnvironmentClass(tx, created).catch((error: unknown) => {
          if (isUniqueViolation(error))
            throw new HearthError('conflict', `there is an environment class ${body.name} already`)
          throw error
        })
        await recordEvent(tx, 'created', toEnvironmentClass(row))
        return { status: 201, value: toEnvironmentClass(row) }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show an environment class',
    roles: readers,
    params: idOrNameParams,
    answer: { status: 200, schema: environmentClassSchema, description: 'The class' },
    handle: async ({ caller, params }) => {
      const row = await findEnvironmentClass(database, caller.organizationId, params.id)
      return { status: 200, value: toEnvironmentClass(found(row, 'environment class', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'patch',
    path: `${path}/{id}`,
    tag,
    summary: 'Change an environment class; machines that exist keep their size',
    roles: administrators,
    params: idOrNameParams,
    body: environmentClassUpdateSchema,
    answer: { status: 200, schema: environmentClassSchema, description: 'The class' },
    handle: async ({ caller, params, body, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = found(
          await lockEnvironmentClass(tx, caller.organizationId, params.id),
          'environment class',
          params.id,
        )
        requireVersion(expectedVersion, row.spec_version)
        const given = Object.fromEntries(
          Object.entries(body.spec ?? {}).filter(([, value]) => value !== undefined),
        )
        const changed = await updateEnvironmentClass(tx, row.id, {
          labels: body.labels ?? row.labels,
          spec: { ...row.spec, ...given },
        })
        await recordEvent(tx, 'updated', toEnvironmentClass(changed))
        return { status: 200, value: toEnvironmentClass(changed) }
      }),
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary: 'Delete an environment class that nothing uses',
    roles: administrators,
    params: idOrNameParams,
    answer: { status: 200, schema: environmentClassSchema, description: 'The class as it was' },
    handle: async ({ caller, params, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = found(
          await lockEnvironmentClass(tx, caller.organizationId, params.id),
          'environment class',
          params.id,
        )
        requireVersion(expectedVersion, row.spec_version)
        const uses = await countUses(tx, row.id)
        if (uses > 0)
          throw new HearthError(
            'conflict',
            `${uses} pools or environments are of class ${row.name}: delete them first`,
          )
        await deleteEnvironmentClass(tx, row.id)
        await recordEvent(tx, 'deleted', toEnvironmentClass(row))
        return { status: 200, value: toEnvironmentClass(row) }
      }),
  })
}
