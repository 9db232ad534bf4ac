import { z } from 'zod'
import { countSchema, positiveSchema } from '../bounded.ts'
import { idSchema, timeSchema } from '../resource.ts'
import { reportedFactsSchema } from './reported.ts'

/** An agent's heartbeat. */
export const presenceSchema = z.object({
  runnerId: idSchema,
  epoch: positiveSchema,
  facts: reportedFactsSchema,
  environments: countSchema.meta({ description: 'Machines of Hearth on the host' }),
  sentAt: timeSchema,
  leaving: z.boolean().optional().meta({ description: 'The agent stops: this is its last one' }),
})
export type Presence = z.infer<typeof presenceSchema>
