import { z } from 'zod'
import { type KindWith, kindsWith } from './kind-list.ts'
import { idSchema, timeSchema } from './resource.ts'

/** The kinds whose changes are events. */
export type ResourceKind = KindWith<'hasEvents'>
export const resourceKinds = kindsWith('hasEvents')
export const resourceKindSchema = z.enum(resourceKinds)

/** One change of one resource. Positions rise in commit order, so a reader that saw N asks for what is after N. */
export const eventSchema = z
  .object({
    id: idSchema,
    position: z.int().positive(),
    organizationId: idSchema,
    verb: z.enum(['created', 'updated', 'deleted']),
    kind: resourceKindSchema,
    resourceId: idSchema,
    specVersion: z.int().nullable(),
    statusVersion: z.int().nullable(),
    time: timeSchema,
    resource: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The resource as it was after the change' }),
  })
  .meta({ id: 'Event' })
export type Event = z.infer<typeof eventSchema>

export const eventQuerySchema = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .nonnegative()
    .max(999_999_999_999_999)
    .optional()
    .meta({ description: 'Position; by default only what is new' }),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  kind: resourceKindSchema.optional(),
  resourceId: idSchema.optional(),
})
