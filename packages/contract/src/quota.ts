import { z } from 'zod'
import { countSchema } from './bounded.ts'

/** What is bounded for an organization. */
export const organizationQuotaNames = ['streams', 'requestsPerSecond'] as const
/** What is bounded for each member of it. */
export const principalQuotaNames = ['streams', 'requestsPerSecond'] as const
export type OrganizationQuotaName = (typeof organizationQuotaNames)[number]
export type PrincipalQuotaName = (typeof principalQuotaNames)[number]

export const quotaLimitSchema = countSchema
  .nullable()
  .meta({ description: 'At most this many; null for no limit' })
const limits = <Name extends string>(names: readonly Name[]) =>
  z.partialRecord(z.enum(names as readonly [Name, ...Name[]]), quotaLimitSchema)

/** Limits that are set for one organization; those that are not named are the installation's. */
export const quotasSchema = z
  .strictObject({
    organization: limits(organizationQuotaNames).default({}),
    principal: limits(principalQuotaNames).default({}),
  })
  .meta({ id: 'Quotas' })
export type Quotas = z.infer<typeof quotasSchema>

/** Every limit; null for none. */
export interface QuotaLimits {
  organization: Readonly<Record<OrganizationQuotaName, number | null>>
  principal: Readonly<Record<PrincipalQuotaName, number | null>>
}

/** More than a usual team needs, and less than what hurts its neighbours. */
export const defaultQuotas: QuotaLimits = {
  organization: { streams: 500, requestsPerSecond: 500 },
  principal: { streams: 100, requestsPerSecond: 200 },
}
