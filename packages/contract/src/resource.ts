import { z } from 'zod'
import { failureSchema } from './failure.ts'

export const idSchema = z
  .uuid()
  .meta({ description: 'UUIDv7', example: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11' })
export const timeSchema = z.iso
  .datetime()
  .meta({ description: 'ISO 8601, UTC', example: '2026-11-20T18:07:00.000Z' })

/** Lower-case words joined by hyphens, as in a host name: safe in subjects, paths and domain names. */
export const nameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens')
  .meta({ example: 'web-shop' })

const labelKey = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/)
export const labelsSchema = z
  .record(labelKey, z.string().max(255))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels')

/** What every kind carries. */
export const metadataSchema = z.object({
  id: idSchema,
  organizationId: idSchema,
  name: z.string(),
  creator: idSchema.nullable().meta({ description: 'The principal that made it; null for Hearth itself' }),
  createdAt: timeSchema,
  updatedAt: timeSchema,
  labels: labelsSchema,
})
export type Metadata = z.infer<typeof metadataSchema>

/** What every status carries beside the fields of its kind. */
export const statusFields = {
  observedSpecVersion: z.int().nonnegative(),
  failure: failureSchema.nullable(),
  deadline: timeSchema
    .nullable()
    .meta({ description: 'When the present phase fails unless it has moved on' }),
}

/** The one wire shape of all kinds: metadata, spec (wanted), status (seen), and a version of each. */
export function resourceSchema<Kind extends string, Spec extends z.ZodType, Status extends z.ZodType>(
  kind: Kind,
  spec: Spec,
  status: Status,
) {
  return z.object({
    kind: z.literal(kind),
    metadata: metadataSchema,
    spec,
    specVersion: z.int().positive(),
    status,
    statusVersion: z.int().positive(),
  })
}

/** One page of a list; `next` is given back as `after` until it is null. */
export function listSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() })
}

export const listQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  after: idSchema.optional().meta({ description: 'The `next` of the page before' }),
})
