import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { idSchema, timeSchema } from './resource.ts'

/** What a machine really started from. */
export const startedFromSchema = z.object({
  from: z.enum(['image', 'disk', 'memory']),
  snapshotId: idSchema.nullable(),
  incarnation: z.int().min(0),
  reason: boundedLine(1_024).nullable().meta({
    description: 'Why not from what would have been quicker: memory before disk, disk before image',
  }),
})
/** How a suspended machine went on. */
export const resumedSchema = z.object({
  from: z.enum(['memory', 'disk']),
  reason: boundedLine(1_024).nullable().meta({
    description: 'Why its memory could not be used, so that it booted and only its disk is as it was left',
  }),
})
export type Resumed = z.infer<typeof resumedSchema>

/** How often a machine was started again after a crash. */
export const restartsSchema = z.object({
  count: z.int().min(1),
  at: timeSchema.meta({ description: 'When it was last found off' }),
  cause: boundedLine(1_024),
})
export type Restarts = z.infer<typeof restartsSchema>

export type StartedFrom = z.infer<typeof startedFromSchema>
