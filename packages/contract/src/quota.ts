import { z } from 'zod'
import { countSchema } from './bounded.ts'

/** What machines use: counted for an organization and for whoever holds them. */
export const machineQuotaNames = [
  'environments',
  'running',
  'virtualCpus',
  'memoryMebibytes',
  'diskGibibytes',
] as const
export type MachineQuotaName = (typeof machineQuotaNames)[number]
/** Resources that are limited by their number in an organization. */
export const resourceQuotaNames = [
  'projects',
  'environmentClasses',
  'warmPools',
  'runners',
  'tokens',
  'observers',
  'sessions',
  'routes',
  'pipelines',
  'volumes',
] as const
export type ResourceQuotaName = (typeof resourceQuotaNames)[number]
const momentary = ['streams', 'requestsPerSecond'] as const

/** What is bounded for an organization. */
export const organizationQuotaNames = [...machineQuotaNames, ...resourceQuotaNames, ...momentary] as const
/** What is bounded for each member of it. */
export const principalQuotaNames = [...machineQuotaNames, ...momentary] as const
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

/** The limits of an installation that sets none: more than most teams need, less than what slows other organizations. */
export const defaultQuotas: QuotaLimits = {
  organization: {
    environments: 1_000,
    running: 1_000,
    virtualCpus: 4_000,
    memoryMebibytes: 16 * 1_048_576,
    diskGibibytes: 100_000,
    projects: 500,
    environmentClasses: 200,
    warmPools: 500,
    runners: 1_000,
    tokens: 2_000,
    observers: 100,
    sessions: 200,
    routes: 500,
    pipelines: 1_000,
    volumes: 500,
    streams: 500,
    requestsPerSecond: 500,
  },
  principal: {
    environments: 300,
    running: 300,
    virtualCpus: 1_200,
    memoryMebibytes: 4 * 1_048_576,
    diskGibibytes: 30_000,
    streams: 100,
    requestsPerSecond: 200,
  },
}

/** A quota of its organization that keeps a pool from making the machines it lacks. */
export const quotaShortageSchema = z
  .object({ quota: z.enum(machineQuotaNames), limit: countSchema, use: z.int().min(0) })
  .meta({ id: 'QuotaShortage' })
export type QuotaShortage = z.infer<typeof quotaShortageSchema>

const quotaUseSchema = z
  .object({
    limit: quotaLimitSchema,
    use: z.int().min(0).nullable().meta({ description: 'null for what is not counted over time' }),
  })
  .meta({ id: 'QuotaUse' })
const uses = <Name extends string>(names: readonly Name[]) =>
  z.record(z.enum(names as readonly [Name, ...Name[]]), quotaUseSchema)

export const quotaUsesSchema = z
  .object({
    organization: uses(organizationQuotaNames),
    principal: uses(principalQuotaNames).meta({ description: 'Of whoever asks' }),
  })
  .meta({ id: 'QuotaUses' })
export type QuotaUses = z.infer<typeof quotaUsesSchema>
