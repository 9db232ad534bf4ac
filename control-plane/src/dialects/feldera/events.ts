import { idSchema, type PipelineEvent, pipelineEventLimits } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { readPipelineEvents, toPipelineEvent } from '../../kinds/pipeline/index.ts'
import { errorSchema, FelderaError, felderaErrors } from './error.ts'
import { findPipeline, nameParams } from './names.ts'
import { toErrorBody } from './translate.ts'
import {
  pascal,
  programSchema,
  programWords,
  resourcesDesiredSchema,
  resourcesSchema,
  runtimeDesiredSchema,
  runtimeSchema,
  storageSchema,
} from './words.ts'

const tag = 'Pipeline events'
const eventSchema = z
  .object({
    event_id: z.string(),
    recorded_at: z.string(),
    deployment_resources_status: resourcesSchema,
    deployment_resources_desired_status: resourcesDesiredSchema,
    deployment_runtime_status: runtimeSchema.nullable(),
    deployment_runtime_desired_status: runtimeDesiredSchema.nullable(),
    deployment_has_error: z.boolean(),
    program_status: programSchema,
    storage_status: storageSchema,
    deployment_error: errorSchema.nullable().optional(),
    deployment_resources_status_details: z.unknown().optional(),
    deployment_runtime_status_details: z.unknown().optional(),
    storage_status_details: z.unknown().optional(),
  })
  .meta({ id: 'PipelineMonitorEventSelectedInfo' })
type Selected = z.infer<typeof eventSchema>
const query = z.object({ selector: z.enum(['all', 'status']).default('status') })
type Selector = z.output<typeof query>['selector']

/** What belongs to the statuses is left out, keys and all, where only the statuses are asked for. */
export function toSelectedEvent(event: PipelineEvent, selector: Selector): Selected {
  const { runtimeStatus, runtimeDesiredStatus } = event
  const statuses = {
    event_id: event.id,
    recorded_at: event.recordedAt,
    deployment_resources_status: pascal(event.resourcesStatus),
    deployment_resources_desired_status: pascal(event.resourcesDesiredStatus),
    deployment_runtime_status: runtimeStatus === null ? null : pascal(runtimeStatus),
    deployment_runtime_desired_status: runtimeDesiredStatus === null ? null : pascal(runtimeDesiredStatus),
    deployment_has_error: event.hasError,
    program_status: programWords[event.programStatus],
    storage_status: pascal(event.storageStatus),
  }
  if (selector === 'status') return statuses
  return {
    ...statuses,
    deployment_error: toErrorBody(event.error),
    deployment_resources_status_details: event.resourcesDetails ?? null,
    deployment_runtime_status_details: event.runtimeDetails ?? null,
    storage_status_details: event.storageDetails ?? null,
  }
}

export function addEventRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/pipelines/{pipeline_name}/events',
      tag,
      summary: 'How a pipeline was, the newest first',
      roles: readers,
      params: nameParams,
      query,
      answer: { status: 200, schema: z.array(eventSchema), description: 'Events' },
      handle: async ({ caller, params, query: { selector }, context }) => {
        const { id } = await findPipeline(services, caller, params.pipeline_name)
        const events = await readPipelineEvents(database, id, { limit: pipelineEventLimits.kept })
        context.header('Cache-Control', 'no-cache')
        return { status: 200, value: events.map((row) => toSelectedEvent(toPipelineEvent(row), selector)) }
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/pipelines/{pipeline_name}/events/{event_id}',
      tag,
      summary: 'How a pipeline was at one time; `latest` is the newest',
      roles: readers,
      params: nameParams.extend({ event_id: z.string().max(1_000) }),
      query,
      answer: { status: 200, schema: eventSchema, description: 'The event' },
      handle: async ({ caller, params: { pipeline_name, event_id }, query: { selector } }) => {
        const { id } = await findPipeline(services, caller, pipeline_name)
        const wanted = event_id === 'latest' ? undefined : requireUuid(event_id)
        const [event] = await readPipelineEvents(database, id, { limit: 1, id: wanted })
        if (event === undefined)
          throw wanted === undefined
            ? new FelderaError(404, 'NoPipelineMonitorEventsAvailable', 'there are no events yet')
            : new FelderaError(
                404,
                'UnknownPipelineMonitorEvent',
                `there is no event ${wanted}: the newest ${pipelineEventLimits.kept} are kept`,
                { event_id: wanted },
              )
        return { status: 200, value: toSelectedEvent(toPipelineEvent(event), selector) }
      },
    },
    felderaErrors,
  )
}

function requireUuid(value: string): string {
  const parsed = idSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const error = 'not a UUID'
  throw new FelderaError(400, 'InvalidUuidParam', 'an event is named by a UUID, or by `latest`', {
    value,
    error,
  })
}
