import type { LifeCap, QuotaLimits, Role } from '@hearth/contract'

/** Who makes a request, as its token says. */
export interface Caller {
  principalId: string
  organizationId: string
  tokenId: string
  name: string
  roles: readonly Role[]
  /** Set when the token is a runner's own. */
  runnerId: string | null
  /** The organization's quota limits, cached for some seconds. */
  limits: QuotaLimits
  /** The longest lives that the organization allows, cached likewise. */
  lifeCap: LifeCap
  /** Whether it keeps secrets for the machines that it claims, cached likewise. */
  hasSecrets: boolean
}

export const readers: readonly Role[] = ['administrator', 'member', 'viewer']
export const writers: readonly Role[] = ['administrator', 'member']
export const administrators: readonly Role[] = ['administrator']

/** Whether a caller may enter a claimed environment: its claimant and administrators may. */
export function mayEnter(caller: Caller, claimant: string | null): boolean {
  return (
    caller.roles.includes('administrator') ||
    (caller.principalId === claimant && caller.roles.includes('member'))
  )
}
