import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { addOpenEndpoint } from '../../api/open-endpoint.ts'
import type { Services } from '../../api/services.ts'
import { organizations } from '../../kinds/organization/index.ts'
import { keyRoleOf } from './api-keys.ts'
import { felderaErrors } from './error.ts'
import { hostsMessage, soundestRunner } from './hosts.ts'
import { platformVersion } from './translate.ts'

const tag = 'Configuration'

const buildFields = [
  ...(['build_cpu', 'build_os', 'build_timestamp', 'cargo_debug', 'cargo_dependencies'] as const),
  ...(['cargo_features', 'cargo_opt_level', 'cargo_target_triple', 'rustc_version'] as const),
] as const
const configurationSchema = z
  .object({
    version: z.string(),
    edition: z.string(),
    build_source: z.string(),
    build_info: z.record(z.enum(buildFields), z.string()),
    changelog_url: z.string(),
    conceptualhq: z.string(),
    posthog: z.string(),
    product_fruits: z.string(),
    revision: z.string(),
    runtime_revision: z.string(),
  })
  .meta({ id: 'Configuration' })

/** Hearth is nothing of what it would be built by there, and reports to nobody. */
const configuration: z.infer<typeof configurationSchema> = {
  version: platformVersion,
  edition: 'Open source',
  build_source: 'hearth',
  build_info: Object.fromEntries(buildFields.map((name) => [name, ''])) as Record<
    (typeof buildFields)[number],
    string
  >,
  ...{
    changelog_url: '',
    conceptualhq: '',
    posthog: '',
    product_fruits: '',
    revision: '',
    runtime_revision: '',
  },
}

const sessionSchema = z
  .object({
    tenant_id: z.string(),
    tenant_name: z.string(),
    role: z.string().nullable(),
    memberships: z.array(z.object({ name: z.string(), role: z.string(), tenant_id: z.string() })),
  })
  .meta({ id: 'SessionInfo' })

const serviceSchema = z.object({
  checked_at: z.string(),
  healthy: z.boolean(),
  message: z.string(),
  unchanged_since: z.string(),
})
const healthSchema = z
  .object({
    all_healthy: z.boolean(),
    api: serviceSchema,
    compiler: serviceSchema,
    runner: serviceSchema,
  })
  .meta({ id: 'HealthStatus' })

export function addAboutRoutes(application: Application, services: Services): void {
  const { database, clock } = services
  const get = { method: 'get', tag, roles: readers } as const
  addEndpoint(
    application,
    services,
    {
      ...get,
      path: '/config',
      summary: 'What this is',
      answer: { status: 200, schema: configurationSchema, description: 'The configuration' },
      handle: async () => ({ status: 200, value: configuration }),
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...get,
      path: '/config/session',
      summary: 'Who asks: a tenant is an organization',
      answer: { status: 200, schema: sessionSchema, description: 'The session' },
      handle: async ({ caller }) => {
        const { id, name } = await organizations.get(database, caller, caller.organizationId)
        const role = keyRoleOf(caller.roles)
        const memberships = role === null ? [] : [{ name, role, tenant_id: id }]
        return { status: 200, value: { tenant_id: id, tenant_name: name, role, memberships } }
      },
    },
    felderaErrors,
  )
  const since = clock.now().toISOString()
  addEndpoint(
    application,
    services,
    {
      ...get,
      path: '/cluster_healthz',
      summary: 'Whether pipelines can be compiled and run',
      answer: { status: 200, schema: healthSchema, description: 'All is well' },
      refusals: { 503: 'Something is not: the same body' },
      handle: async ({ caller: { organizationId }, context }) => {
        const runner = await soundestRunner(database, organizationId)
        const checked_at = clock.now().toISOString()
        const service = (healthy: boolean, message: string) => ({
          ...{ checked_at, healthy, message, unchanged_since: healthy ? since : checked_at },
        })
        const all_healthy = runner !== null
        const hosts = service(all_healthy, hostsMessage(runner))
        const value = { all_healthy, api: service(true, 'answers'), compiler: hosts, runner: hosts }
        return all_healthy ? { status: 200, value } : context.json(value, 503)
      },
    },
    felderaErrors,
  )
}

/** How one logs in: not by another provider, but with a token. */
export function addAuthenticationRoute(application: Application, services: Services): void {
  addOpenEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/authentication',
      tags: [tag],
      summary: 'How one logs in',
      responses: {
        200: {
          description: 'Empty: with an API key',
          content: { 'application/json': { schema: z.object({}) } },
        },
      },
    },
    (context) => context.json({}, 200),
  )
}
