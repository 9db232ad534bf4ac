import { z } from 'zod'
import { failureSchema } from './failure.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, timeSchema } from './resource.ts'

export const jobPhaseSchema = z.enum(['running', 'succeeded', 'failed', 'cancelled'])
export type JobPhase = z.infer<typeof jobPhaseSchema>
export const jobOperationSchema = z.enum([
  'environment.provision',
  'environment.delete',
  'web-app.create',
  'web-app.delete',
  'deployment.run',
])
export type JobOperation = z.infer<typeof jobOperationSchema>

export const jobLogEntrySchema = z.object({
  time: timeSchema,
  level: z.enum(['info', 'error']),
  message: z.string(),
  step: z.string().optional(),
})
export type JobLogEntry = z.infer<typeof jobLogEntrySchema>

/** The record of one slow operation. */
export const jobSchema = z
  .object({
    kind: z.literal('Job'),
    id: idSchema,
    organizationId: idSchema,
    operation: jobOperationSchema,
    resource: z.object({ kind: z.string(), id: idSchema }),
    phase: jobPhaseSchema,
    log: z.array(jobLogEntrySchema),
    failure: failureSchema.nullable(),
    createdAt: timeSchema,
    finishedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Job' })
export type Job = z.infer<typeof jobSchema>

export const jobKind = defineKind({
  kind: 'Job',
  schema: jobSchema,
  summary: 'records of slow operations',
  hasEvents: true,
  isExplained: false,
  waits: {
    running: {
      waitsFor: 'the phase of its resource to change',
      deadlineSeconds: null,
      because: 'it is the record of that phase and ends with it',
    },
    succeeded: rests,
    failed: rests,
    cancelled: rests,
  },
  tones: { succeeded: 'good', failed: 'bad' },
})
