import type { Deployment, Space, SpacePhase, WebApp } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { snowflakeOf } from './ids.ts'

export const webAppSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    display_name: z.string(),
    emoji: z.string(),
    runtime: z.string(),
    web_server: z.string(),
    database: z.string().nullable(),
    cache: z.string().nullable(),
    computer: z.string(),
    created_at: z.string(),
  })
  .meta({ id: 'KonigleWebApp' })

export function toWebApp({ metadata, spec }: WebApp): z.infer<typeof webAppSchema> {
  return {
    id: snowflakeOf(metadata.id),
    name: metadata.name,
    display_name: spec.displayName === '' ? metadata.name : spec.displayName,
    emoji: spec.emoji,
    runtime: spec.runtime,
    web_server: spec.webServer,
    database: spec.database,
    cache: spec.cache,
    computer: snowflakeOf(spec.environmentId),
    created_at: metadata.createdAt,
  }
}

export const spaceSchema = z
  .object({
    id: z.string(),
    space_type: z.enum(['uat', 'production']),
    status: z.enum(['provisioning', 'running', 'stopped', 'error']),
    platform_domain: z.string(),
    custom_domain: z.string(),
    custom_domain_status: z.enum(['unmapped', 'pending', 'active', 'failed']),
    last_deployed_at: z.string().nullable(),
    last_deployment_status: z.enum(['pending', 'running', 'success', 'failed']).nullable(),
    webapp: z.string(),
    created_at: z.string(),
  })
  .meta({ id: 'KonigleSpace' })
type KonigleSpace = z.infer<typeof spaceSchema>

/** One that starts serves nobody yet, and one that is on its way to an end nobody any more. */
const statuses: Readonly<Record<SpacePhase, KonigleSpace['status']>> = {
  provisioning: 'provisioning',
  starting: 'provisioning',
  running: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  failed: 'error',
  deleting: 'stopped',
}

export function toSpace({ metadata, spec, status }: Space): KonigleSpace {
  const { lastDeployment } = status
  return {
    id: snowflakeOf(metadata.id),
    space_type: spec.type,
    status: statuses[status.phase],
    platform_domain: status.platformDomain ?? '',
    custom_domain: spec.customDomain ?? '',
    custom_domain_status: status.domain?.state ?? (spec.customDomain === null ? 'unmapped' : 'pending'),
    last_deployed_at: lastDeployment?.createdAt ?? null,
    last_deployment_status: lastDeployment === null ? null : outcomeOf(lastDeployment.phase),
    webapp: snowflakeOf(spec.webAppId),
    created_at: metadata.createdAt,
  }
}

function outcomeOf(phase: string): KonigleSpace['last_deployment_status'] {
  switch (phase) {
    case 'pending':
      return 'pending'
    case 'succeeded':
      return 'success'
    case 'failed':
    case 'cancelled':
      return 'failed'
    default:
      return 'running'
  }
}

const jobReference = z.object({ id: z.string() })
export const deploymentSchema = z
  .object({
    id: z.string(),
    display_name: z.string(),
    space_id: z.string(),
    job_id: z.string(),
    job: jobReference,
    created_at: z.string(),
  })
  .meta({ id: 'KonigleDeployment' })

export function toDeployment(
  { metadata, spec }: Deployment,
  jobId: string,
): z.infer<typeof deploymentSchema> {
  return {
    id: metadata.id,
    display_name: spec.displayName === '' ? metadata.name : spec.displayName,
    space_id: snowflakeOf(spec.spaceId),
    job_id: jobId,
    job: { id: jobId },
    created_at: metadata.createdAt,
  }
}

/** What was made, with the job that says how far it is. */
export const withJob = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, id: string) =>
  schema.extend({ job_id: z.string(), job: jobReference }).meta({ id })
