import {
  labelsSchema,
  listQuerySchema,
  listSchema,
  type Organization,
  organizationCreateSchema,
  organizationSchema,
  organizationSpecSchema,
} from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { administrators, readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, page, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { isUniqueViolation } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import { poolsThatWait } from '../quota/index.ts'
import { createPrincipal, createToken, forgetCallers } from '../token/index.ts'
import {
  createOrganization,
  findFirstOrganization,
  findOrganization,
  listOrganizations,
  lockOrganization,
  updateOrganization,
} from './queries.ts'
import { toOrganization } from './table.ts'

const tag = 'Organizations'
const createdSchema = z
  .object({ organization: organizationSchema, token: z.string() })
  .meta({ id: 'OrganizationCreated' })
const updateSchema = z.strictObject({
  labels: labelsSchema.optional(),
  spec: organizationSpecSchema.optional(),
})

export function addOrganizationRoutes(application: Application, services: Services): void {
  const { database, encryption } = services
  /** Only the first organization's people see beyond their own. */
  const ofInstallation = async (organizationId: string) =>
    (await findFirstOrganization(database))?.id === organizationId
  const visible = async (own: string, wanted: string) => own === wanted || (await ofInstallation(own))

  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/organizations',
    tag,
    summary: 'List organizations: one’s own, or all for administrators of the first one',
    roles: readers,
    query: listQuerySchema,
    answer: { status: 200, schema: listSchema(organizationSchema), description: 'Organizations' },
    handle: async ({ caller, query }) => {
      const all = caller.roles.includes('administrator') && (await ofInstallation(caller.organizationId))
      const own = all ? undefined : await findOrganization(database, caller.organizationId)
      const rows = own === undefined ? await listOrganizations(database, query.limit, query.after) : [own]
      return { status: 200, value: page(rows, query.limit, toOrganization) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path: '/v1/organizations',
    tag,
    summary: 'Make an organization; the answer is the only one that holds its administrator’s token',
    roles: administrators,
    body: organizationCreateSchema,
    answer: { status: 201, schema: createdSchema, description: 'The organization and a token' },
    handle: async ({ caller, body, once }) => {
      if (!(await ofInstallation(caller.organizationId))) {
        throw new HearthError('forbidden', 'only administrators of the first organization make others')
      }
      return once(async (tx) => {
        const created = { ...body, creator: caller.principalId }
        const row = await createOrganization(tx, encryption, created).catch((error: unknown) => {
          if (isUniqueViolation(error))
            throw new HearthError('conflict', `there is an organization ${body.name} already`)
          throw error
        })
        const principal = { organization_id: row.id, kind: 'user' as const, name: 'administrator' }
        const principalId = await createPrincipal(tx, principal)
        const token = {
          organizationId: row.id,
          principalId,
          name: 'administrator',
          roles: ['administrator' as const],
        }
        const { secret } = await createToken(tx, token)
        await recordEvent(tx, 'created', toOrganization(row))
        return { status: 201, value: { organization: toOrganization(row), token: secret } }
      })
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/organizations/{id}',
    tag,
    summary: 'Show an organization',
    roles: readers,
    params: idParams,
    answer: { status: 200, schema: organizationSchema, description: 'The organization' },
    handle: async ({ caller, params }) => {
      const allowed = await visible(caller.organizationId, params.id)
      const row = allowed ? await findOrganization(database, params.id) : undefined
      return { status: 200, value: toOrganization(found(row, 'organization', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'patch',
    path: '/v1/organizations/{id}',
    tag,
    summary: 'Change one’s own organization; its quotas are for administrators of the first one',
    roles: administrators,
    params: idParams,
    body: updateSchema,
    answer: { status: 200, schema: organizationSchema, description: 'The organization' },
    handle: async ({ caller, params, body, expectedVersion }) =>
      transact(database, async (tx) => {
        const installations = await ofInstallation(caller.organizationId)
        const allowed = installations || caller.organizationId === params.id
        const locked = allowed ? await lockOrganization(tx, params.id) : undefined
        const row = found(locked, 'organization', params.id)
        requireVersion(expectedVersion, row.spec_version)
        const changed = await updateOrganization(tx, row.id, {
          labels: body.labels ?? row.labels,
          spec: body.spec === undefined ? row.spec : keepQuotas(row.spec, body.spec, installations),
        })
        await recordEvent(tx, 'updated', toOrganization(changed))
        await forgetCallers(tx)
        await wakeMany(tx, await poolsThatWait(tx, [row.id]))
        return { status: 200, value: toOrganization(changed) }
      }),
  })
}

/** A change that names no quotas leaves them as they are. */
function keepQuotas(
  before: Organization['spec'],
  wanted: Organization['spec'],
  maySet: boolean,
): Organization['spec'] {
  if (wanted.quotas === undefined)
    return { ...wanted, ...(before.quotas === undefined ? {} : { quotas: before.quotas }) }
  if (maySet || canonicalJson(wanted.quotas) === canonicalJson(before.quotas)) return wanted
  throw new HearthError('forbidden', 'only administrators of the first organization set quotas')
}
