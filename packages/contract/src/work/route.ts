import { z } from 'zod'
import { boundedText } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { routeAccessSchema } from '../route.ts'
import { domainStateSchema } from '../route-domain.ts'
import { cutText, hostSchema } from './reported.ts'
import { orderEnvelopeSchema, reportEnvelopeSchema, type WorkMessages } from './work.ts'

/** SHA-256 in lower-case hexadecimal digits. */
const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
/** The most members that are refused by name: as many as an organization has tokens, and more. */
export const mostRefused = 10_000

/** The whole of what one route should be on the runner of its machine. */
export const routeOrderSchema = orderEnvelopeSchema.extend({
  kind: z.literal('route'),
  organizationId: idSchema,
  environmentId: idSchema,
  /** In words to people. */
  machine: z.string().max(255),
  desired: z.enum(['open', 'deleted']),
  host: hostSchema,
  customDomain: hostSchema.nullable().default(null),
  port: z.int().min(1).max(65_535),
  access: routeAccessSchema,
  ticketKey: boundedText(64).meta({
    description: 'Ed25519 public key that signs tickets: base64 of 32 bytes',
  }),
  tokenDigest: digestSchema.nullable().meta({ description: 'Of the token of the route' }),
  refusedTokens: z
    .array(idSchema)
    .max(mostRefused)
    .meta({ description: 'Tokens that ended after a ticket was made for them' }),
  wake: z
    .object({ id: idSchema, fault: z.string().max(2_048).nullable() })
    .nullable()
    .meta({ description: 'The request for the machine that was heard last, and why it did not start' }),
})
export type RouteOrder = z.infer<typeof routeOrderSchema>

export const routeReportPhases = ['opening', 'active', 'failed', 'deleted'] as const

export const routeReportSchema = reportEnvelopeSchema.extend({
  kind: z.literal('route'),
  phase: z.enum(routeReportPhases),
  wakeId: idSchema
    .nullable()
    .default(null)
    .meta({ description: 'Another id each time that a request comes while the machine is off' }),
  domain: z
    .object({ host: hostSchema, state: domainStateSchema, cause: cutText(1_024).nullable() })
    .nullable()
    .default(null)
    .meta({ description: 'How its custom domain fares, where it has one' }),
})
export type RouteReport = z.infer<typeof routeReportSchema>

export const routeWork: WorkMessages<RouteOrder, RouteReport> = {
  kind: 'route',
  order: routeOrderSchema,
  report: routeReportSchema,
}
