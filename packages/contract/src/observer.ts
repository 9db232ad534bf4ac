import { z } from 'zod'
import { defineKind } from './kind-definition.ts'
import { idSchema, nameSchema, timeSchema } from './resource.ts'

/** A program that reads an organization's events from NATS, at its own pace. */
export const observerSchema = z
  .object({
    kind: z.literal('Observer'),
    id: idSchema,
    organizationId: idSchema,
    creator: idSchema.meta({ description: 'The principal that made it; it ends with its tokens' }),
    name: z.string(),
    unacknowledged: z.int().positive(),
    createdAt: timeSchema,
    expiresAt: timeSchema.meta({ description: 'When its credentials and its place in the stream end' }),
  })
  .meta({ id: 'Observer' })
export type Observer = z.infer<typeof observerSchema>

const hours = z
  .int()
  .min(1)
  .max(24 * 30)
  .default(24)
  .meta({ description: 'How long its credentials are good for' })

export const observerCreateSchema = z
  .strictObject({
    name: nameSchema,
    hours,
    start: z
      .union([z.enum(['oldest', 'new']), z.int().positive()])
      .default('new')
      .meta({
        description: 'The first event: the oldest that is kept, the next new one, or a stream sequence',
      }),
    unacknowledged: z.int().min(1).max(1_000).default(1).meta({
      description:
        'How many it may be given before it acknowledges; with more than 1 what is lost on the way comes after later ones',
    }),
  })
  .meta({ id: 'ObserverCreate' })
/** The fields that an observer's NATS consumer is made from. */
export type ObservedEvents = Pick<Observer, 'id' | 'organizationId' | 'unacknowledged'>
export type ObserverStart = z.output<typeof observerCreateSchema>['start']

export const observerRenewSchema = z.strictObject({ hours }).meta({ id: 'ObserverRenew' })

/** The observer, and how a NATS client reads its events: from a durable pull consumer, all that its credentials reach. */
export const observerAccessSchema = z
  .object({
    observer: observerSchema,
    nats: z.object({
      servers: z.array(z.string()),
      stream: z.string(),
      consumer: z.string(),
      domain: z.string().meta({ description: 'The JetStream domain to name' }),
      inboxPrefix: z.string().meta({ description: 'The only inbox that the credentials allow' }),
      credentials: z
        .string()
        .nullable()
        .meta({ description: 'Text of a credentials file; null where NATS asks for none' }),
    }),
  })
  .meta({ id: 'ObserverAccess' })
export type ObserverAccess = z.infer<typeof observerAccessSchema>

export const observerKind = defineKind({
  kind: 'Observer',
  schema: observerSchema,
  summary: 'ways to read events from NATS',
  hasEvents: false,
  isExplained: false,
  waits: {},
})
