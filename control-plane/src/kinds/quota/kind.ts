import { quotaUsesSchema, resourceQuotaNames } from '@hearth/contract'
import { type Caller, readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import type { Kind } from '../../resource/define.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { countMachines, countResources } from './queries.ts'

const showQuotas: AddRoute = (application, services) => {
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/quotas',
    tag: 'Quotas',
    summary: 'Show how much one’s organization and oneself may have at most, and have',
    roles: readers,
    answer: {
      status: 200,
      schema: quotaUsesSchema,
      description: 'Limits and use; open streams are those of the control plane that answers',
    },
    handle: async ({ caller }) => ({ status: 200, value: await usesOf(services, caller) }),
  })
}

export const quotaKind: Kind = { name: 'quota', routes: [showQuotas] }

async function usesOf({ database, streams }: Services, caller: Caller) {
  const { organizationId, principalId, limits } = caller
  const resources = await Promise.all(
    resourceQuotaNames.map(
      async (quota) => [quota, await countResources(database, organizationId, quota)] as const,
    ),
  )
  const organization = await countMachines(database, { organizationId })
  const principal = await countMachines(database, { principalId })
  return {
    organization: beside(limits.organization, {
      ...organization,
      ...Object.fromEntries(resources),
      streams: streams.use(organizationId),
    }),
    principal: beside(limits.principal, { ...principal, streams: streams.use(principalId) }),
  }
}

function beside(limits: Readonly<Record<string, number | null>>, uses: Readonly<Record<string, number>>) {
  return Object.fromEntries(
    Object.entries(limits).map(([quota, limit]) => [quota, { limit, use: uses[quota] ?? null }]),
  )
}
