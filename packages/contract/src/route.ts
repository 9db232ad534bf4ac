import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'
import { customDomainSchema, routeDomainSchema } from './route-domain.ts'
import { referenceSchema } from './snapshot.ts'

export const routePhases = ['pending', 'opening', 'active', 'failed', 'deleting'] as const
export const routePhaseSchema = z.enum(routePhases)
export type RoutePhase = z.infer<typeof routePhaseSchema>

export const routeAccessSchema = z.enum(['private', 'token', 'public']).meta({
  description:
    'private: members of the organization, by `hearth open`; token: whoever has the token of the route; public: everybody',
})
export type RouteAccess = z.infer<typeof routeAccessSchema>

const portSchema = z.int().min(1).max(65_535)

export const routeSpecSchema = z.object({
  desired: z.enum(['open', 'delete']),
  environmentId: idSchema.meta({
    description: 'The environment it leads to; that of the claim, where it has one',
  }),
  claimId: idSchema.nullable(),
  port: portSchema.meta({ description: 'Of the machine' }),
  access: routeAccessSchema,
  customDomain: z
    .string()
    .nullable()
    .meta({ description: 'A host name of one’s own that leads there too; null for none' }),
})
export type RouteSpec = z.infer<typeof routeSpecSchema>

export const routeStatusSchema = z.object({
  phase: routePhaseSchema,
  host: z.string().nullable().meta({ description: 'The host name; null until its runner is known' }),
  url: z.string().nullable().meta({ description: 'Where it is opened in a browser' }),
  runnerId: idSchema.nullable().meta({ description: 'Whose proxy serves it' }),
  domain: routeDomainSchema.nullable().meta({ description: 'Of its custom domain; null where it has none' }),
  waitsFor: z.string().nullable(),
  hasToken: z.boolean().meta({ description: 'Whether a token was made for it' }),
  wake: z.object({ at: timeSchema, fault: z.string().nullable() }).nullable().meta({
    description: 'When a request last asked for the machine while it was off, and why that did not start it',
  }),
  ...statusFields,
})
export type RouteStatus = z.infer<typeof routeStatusSchema>
export const routeSchema = resourceSchema('Route', routeSpecSchema, routeStatusSchema).meta({ id: 'Route' })
export type Route = z.infer<typeof routeSchema>

export const routeCreateSchema = z
  .strictObject({
    name: nameSchema.optional().meta({
      description:
        'The first part of its host name; by default `web-` and the name of the claim or environment',
    }),
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        environment: referenceSchema.optional(),
        claim: referenceSchema.optional(),
        port: portSchema,
        access: routeAccessSchema.default('private'),
        customDomain: customDomainSchema.nullable().optional(),
      })
      .refine(({ environment, claim }) => (environment === undefined) !== (claim === undefined), {
        message: 'give either environment or claim',
        path: ['environment'],
      }),
  })
  .meta({ id: 'RouteCreate' })
export const routeUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        port: portSchema.optional(),
        access: routeAccessSchema.optional(),
        customDomain: customDomainSchema.nullable().optional(),
      })
      .optional(),
  })
  .meta({ id: 'RouteUpdate' })

/** An address that lets its holder in once, and soon. */
export const routeTicketSchema = z
  .object({
    url: z.string().meta({ description: 'To be opened in a browser, once' }),
    expiresAt: timeSchema.meta({ description: 'Until when it can be opened' }),
    sessionEndsAt: timeSchema.meta({ description: 'Until when whoever opened it stays in' }),
  })
  .meta({ id: 'RouteTicket' })
export type RouteTicket = z.infer<typeof routeTicketSchema>

/** The secret of a route with access `token`, shown once. */
export const routeTokenSchema = z
  .object({
    token: boundedLine(128).meta({ description: 'As `Authorization: Bearer`' }),
    url: z.string().nullable().meta({ description: 'The address with the token, for a browser' }),
  })
  .meta({ id: 'RouteToken' })
export type RouteToken = z.infer<typeof routeTokenSchema>

/** Seconds that a route waits for a runner that cannot serve it, for its runner to serve it, and to have done with it. */
export const routeSeconds = { pending: 600, opening: 60, deleting: 60 } as const
/** Seconds within which a ticket is opened, and that whoever opened it stays in. */
export const routeTicketSeconds = { ticket: 120, session: 8 * 3_600 } as const
/** Routes of one environment, and of all on one runner. */
export const routeLimits = { ofEnvironment: 32, ofRunner: 2_000 } as const

export const routeKind = defineKind({
  kind: 'Route',
  schema: routeSchema,
  summary: 'host names that lead to ports of machines',
  hasEvents: true,
  isExplained: true,
  waits: {
    pending: {
      waitsFor: 'its machine to be on a runner that serves routes',
      deadlineSeconds: routeSeconds.pending,
    },
    opening: { waitsFor: 'its runner to serve it', deadlineSeconds: routeSeconds.opening },
    active: rests,
    failed: rests,
    deleting: { waitsFor: 'its runner to have done with it', deadlineSeconds: routeSeconds.deleting },
  },
  tones: { active: 'good', failed: 'bad' },
})
