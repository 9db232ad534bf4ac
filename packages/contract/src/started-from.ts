import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { idSchema } from './resource.ts'

/** What a machine really started from. */
export const startedFromSchema = z.object({
  from: z.enum(['image', 'disk', 'memory']),
  snapshotId: idSchema.nullable(),
  incarnation: z.int().min(0),
  reason: boundedLine(1_024).nullable().meta({
    description: 'Why not from what would have been quicker: memory before disk, disk before image',
  }),
})
export type StartedFrom = z.infer<typeof startedFromSchema>
