import {
  organizationCreatedSchema,
  organizationCreateSchema,
  organizationUpdateSchema,
  organizationKind as words,
} from '@hearth/contract'
import { administrators } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeOrganization, createOrganization } from './commands.ts'
import { findVisibleOrganization, isInstallations, listOrganizations } from './queries.ts'
import { showSecureAccess } from './secure-access.ts'
import { toOrganization } from './table.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: (queryable, { organizationId }, reference) =>
    findVisibleOrganization(queryable, organizationId, reference),
  show: (_, row) => toOrganization(row),
})

export const organizationKind: Kind = {
  name: 'organization',
  routes: [
    showSecureAccess,
    routes.list(
      {
        summary: 'List organizations: one’s own, or all for administrators of the first one',
        description: 'Organizations',
      },
      {},
      async (queryable, filter, caller) => {
        const isAdministrator = caller.roles.includes('administrator')
        const seesAll = isAdministrator && (await isInstallations(queryable, caller.organizationId))
        return listOrganizations(queryable, filter, seesAll)
      },
    ),
    routes.create(
      {
        summary: 'Make an organization; the answer is the only one that holds its administrator’s token',
        description: 'The organization and a token',
        roles: administrators,
        body: organizationCreateSchema,
        schema: organizationCreatedSchema,
        value: ({ row, secret }) => ({ organization: toOrganization(row), token: secret }),
      },
      createOrganization,
    ),
    routes.show({ summary: 'Show an organization', description: 'The organization' }),
    routes.update(
      {
        summary: 'Change one’s own organization; its quotas are for administrators of the first one',
        description: 'The organization',
        roles: administrators,
        body: organizationUpdateSchema,
      },
      changeOrganization,
    ),
  ],
}
