import {
  machineQuotaNames,
  type OrganizationQuotaName,
  type QuotaLimits,
  type Quotas,
  resourceQuotaNames,
} from '@hearth/contract'

/** What the first organization has as much of as there is room for. Observers cost every organization's NATS server. */
const unlimited: Partial<Record<OrganizationQuotaName, null>> = Object.fromEntries(
  [...machineQuotaNames, ...resourceQuotaNames.filter((name) => name !== 'observers')].map((name) => [
    name,
    null,
  ]),
)

/**
 * The limits of one organization: those it was given, then the installation's. The installation's own organization may
 * fill its hosts unless it was given a quota; what its people do at once is bounded like everybody's.
 */
export function limitsOf(
  installation: QuotaLimits,
  organization: { quotas: Quotas | undefined; isInstallations: boolean },
): QuotaLimits {
  const { quotas, isInstallations } = organization
  return {
    organization: {
      ...installation.organization,
      ...(isInstallations ? unlimited : {}),
      ...quotas?.organization,
    },
    principal: { ...installation.principal, ...quotas?.principal },
  }
}
