import { z } from 'zod'
import { idSchema, timeSchema } from '../resource.ts'
import { runnerFactsSchema } from '../runner.ts'

/** An agent's heartbeat. */
export const presenceSchema = z.object({
  runnerId: idSchema,
  epoch: z.int().positive(),
  facts: runnerFactsSchema,
  environments: z.int().nonnegative().meta({ description: 'Machines of Hearth on the host' }),
  sentAt: timeSchema,
  leaving: z.boolean().optional().meta({ description: 'The agent stops: this is its last one' }),
})
export type Presence = z.infer<typeof presenceSchema>
