import { z } from 'zod'
import { idSchema, timeSchema } from './resource.ts'

/** Closed list of what asks for the deletion of a machine. */
export const deletionReasonSchema = z.enum([
  'requested', // someone deleted it
  'claim_released', // its claim was released
  'project_deleted',
  'pool_deleted',
  'pool_disabled',
  'pool_cleared', // someone emptied its pool
  'pool_surplus', // its pool has more than it wants
  'older_configuration', // its pool was changed since it was made
  'too_old', // its pool keeps none that long
  'test_over', // it tested the steps of a pool and has been kept long enough
  'inspection_over', // an administrator took it out of its pool, and has had it long enough
  'lifetime_over', // its life was as long as was asked
  'idle_over', // nobody used it for as long as was asked
  'prebuild_over', // the prebuild that was built on it needs it no more
  'pipeline_over', // the pipeline that was compiled or ran in it needs it no more
  'failed', // its pool has looked at the failure long enough, or has a newer one
  'not_running', // its pool keeps running machines only
  'runner_lost', // its runner went silent, and another machine replaces it
  'runner_drained', // its runner gives its machines up
  'runner_removed',
])
export type DeletionReason = z.infer<typeof deletionReasonSchema>

/** Who or what wanted a machine gone, and when; kept as long as the machine's record. */
export const deletionSchema = z.object({
  reason: deletionReasonSchema,
  principalId: idSchema.nullable().meta({ description: 'Who asked; null where Hearth itself decided' }),
  at: timeSchema,
})
export type Deletion = z.infer<typeof deletionSchema>
