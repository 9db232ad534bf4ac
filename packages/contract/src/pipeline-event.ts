import { z } from 'zod'
import {
  pipelineProgramSchema,
  pipelineResourcesDesiredSchema,
  pipelineResourcesSchema,
  pipelineRuntimeDesiredSchema,
  pipelineRuntimeSchema,
  pipelineStorageSchema,
} from './pipeline-status.ts'
import { idSchema, timeSchema } from './resource.ts'

export const pipelineErrorSchema = z
  .object({ code: z.string(), message: z.string(), details: z.unknown() })
  .meta({ id: 'PipelineError' })
export type PipelineError = z.infer<typeof pipelineErrorSchema>

const statuses = {
  resourcesStatus: pipelineResourcesSchema,
  resourcesDesiredStatus: pipelineResourcesDesiredSchema,
  runtimeStatus: pipelineRuntimeSchema.nullable(),
  runtimeDesiredStatus: pipelineRuntimeDesiredSchema.nullable(),
  hasError: z.boolean(),
  programStatus: pipelineProgramSchema,
  storageStatus: pipelineStorageSchema,
}
/** The statuses of a pipeline: an event is written when any of them changes. */
export const pipelineStatusesSchema = z.object(statuses)
export type PipelineStatuses = z.infer<typeof pipelineStatusesSchema>

const details = {
  error: pipelineErrorSchema.nullable(),
  resourcesDetails: z.unknown(),
  runtimeDetails: z.unknown(),
  storageDetails: z.unknown(),
}
/** What belongs to the statuses: when nothing else changes, an event is written now and then only. */
export const pipelineDetailsSchema = z.object(details)
export type PipelineDetails = z.infer<typeof pipelineDetailsSchema>

/** How a pipeline was at one time. */
export const pipelineEventSchema = z
  .object({ id: idSchema, recordedAt: timeSchema, ...statuses, ...details })
  .meta({ id: 'PipelineEvent' })
export type PipelineEvent = z.infer<typeof pipelineEventSchema>

/** Events kept of each pipeline, and seconds between two when only details, or nothing, changed. */
export const pipelineEventLimits = { kept: 720, detailsSeconds: 10, silenceSeconds: 600 } as const
