import { z } from 'zod'
import { countSchema, positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { environmentOrderSchema } from './environment.ts'
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
})
export type SyncRequest = z.infer<typeof syncRequestSchema>

/** The full desired set. What the agent holds, can prove to be its own, and finds in `unwanted`, it removes. */
export const syncReplySchema = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    orders: z.array(environmentOrderSchema),
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
