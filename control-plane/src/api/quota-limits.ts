import type { QuotaLimits, Quotas } from '@hearth/contract'

const unlimited = {
  projects: null,
  warmPools: null,
  environments: null,
  running: null,
  virtualCpus: null,
  memoryMebibytes: null,
  diskGibibytes: null,
  tokens: null,
  observers: null,
} as const

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
