import { z } from 'zod'
import { countSchema } from './bounded.ts'

/** What is bounded for an organization. Memory in MiB, disk in GiB; `running` are machines that are to run. */
export const organizationQuotaNames = [
  'projects',
  'warmPools',
  'environments',
  'running',
  'virtualCpus',
  'memoryMebibytes',
  'diskGibibytes',
  'tokens',
  'observers',
  'streams',
  'requestsPerSecond',
] as const
/** What is bounded for each member of it: machines that were made for them, and what they do at once. */
export const principalQuotaNames = [
  'environments',
  'running',
  'virtualCpus',
  'memoryMebibytes',
  'diskGibibytes',
  'streams',
  'requestsPerSecond',
] as const
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
  organization: {
    projects: 500,
    warmPools: 500,
    environments: 1_000,
    running: 1_000,
    virtualCpus: 4_000,
    memoryMebibytes: 8 * 1024 * 1024,
    diskGibibytes: 100_000,
    tokens: 1_000,
    observers: 100,
    streams: 500,
    requestsPerSecond: 500,
  },
  principal: {
    environments: 100,
    running: 100,
    virtualCpus: 400,
    memoryMebibytes: 1024 * 1024,
    diskGibibytes: 10_000,
    streams: 100,
    requestsPerSecond: 200,
  },
}

export const quotaUseSchema = z
  .object({
    items: z.array(
      z.object({
        name: z.enum(organizationQuotaNames),
        limit: quotaLimitSchema,
        use: z
          .int()
          .nonnegative()
          .nullable()
          .meta({ description: 'null for what each control plane counts' }),
        principalLimit: quotaLimitSchema.meta({ description: 'For each member who is no administrator' }),
      }),
    ),
  })
  .meta({ id: 'QuotaUse' })
export type QuotaUse = z.infer<typeof quotaUseSchema>
