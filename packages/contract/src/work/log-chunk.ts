import { z } from 'zod'
import { stepKeySchema } from './reported.ts'

/** A piece of one step's output. Pieces may come twice; the offset says where each belongs. */
export const logChunkSchema = z.object({
  environmentId: z.uuid(),
  step: stepKeySchema.meta({ description: 'As made by stepKey' }),
  offset: z
    .int()
    .nonnegative()
    .meta({ description: 'Of the first byte, in bytes of UTF-8 from the step’s start' }),
  text: z.string(),
  end: z.boolean().meta({ description: 'True on the last piece of the step' }),
  time: z.iso.datetime(),
})
export type LogChunk = z.infer<typeof logChunkSchema>
