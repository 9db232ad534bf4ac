import { z } from 'zod'
import { countSchema, positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { environmentOrderSchema, orderDigestSchema } from './environment.ts'
import { mostInventory } from './reported.ts'

/** What an agent found on its host, by the metadata on the machines themselves. */
export const syncRequestSchema = z.object({
  runnerId: idSchema,
  epoch: positiveSchema,
  inventory: z
    .array(z.object({ environmentId: idSchema, epoch: countSchema, generation: countSchema }))
    .max(mostInventory),
  /** The `next` of the page before, null for the first. An agent that cannot read pages gives none, and gets all at once. */
  after: idSchema.nullable().optional(),
  /** The digests of the orders that the agent has, by environment: with `after`, they are not sent again. */
  held: z
    .record(idSchema, orderDigestSchema)
    .refine((held) => Object.keys(held).length <= mostInventory, `at most ${mostInventory} orders`)
    .optional(),
})
export type SyncRequest = z.infer<typeof syncRequestSchema>

/** The full desired set, or a page of it. What the agent holds, can prove to be its own, and finds in `unwanted`, it removes. */
export const syncReplySchema = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    orders: z.array(environmentOrderSchema),
    /** The environments whose orders are those that the agent has; absent where it named none. */
    unchanged: z.array(idSchema).optional(),
    unwanted: z.array(idSchema),
    /** Where the next page of orders begins; null or absent on the last. */
    next: idSchema.nullable().optional(),
  }),
  z.object({
    accepted: z.literal(false),
    reason: z.enum(['superseded', 'unknown_runner']),
    currentEpoch: countSchema,
  }),
])
export type SyncReply = z.infer<typeof syncReplySchema>
