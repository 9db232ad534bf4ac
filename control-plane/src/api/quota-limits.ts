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
 * The limits of one organization: its own where it has them, else the installation's. The installation's own organization
 * has no limit on environments by default, since its hosts are the limit; its requests and streams are limited like those
 * of the others.
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
