import {
  idSchema,
  pipelineEventLimits,
  pipelineEventSchema,
  pipelineProgramTextSchema,
  pipelineKind as words,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found } from '../../api/lookup.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { pipelines, readPipelineEvents, readProgramTexts } from './queries.ts'
import { toPipelineEvent, toProgramText } from './table.ts'

export const pipelineParams = z.object({
  id: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'a UUID, or a name')
    .meta({ description: 'UUID or name' }),
})

const common = { tag: words.tag, roles: readers, params: pipelineParams } as const

export const showProgram: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    ...common,
    method: 'get',
    path: `${words.path}/{id}/program`,
    summary: 'Show the program of a pipeline as it was sent',
    answer: { status: 200, schema: pipelineProgramTextSchema, description: 'The program' },
    handle: async ({ caller, params: { id } }) => {
      const row = await pipelines.get(services.database, caller, id)
      const text = (await readProgramTexts(services.database, [row.id])).get(row.id)
      return { status: 200, value: toProgramText(found(text, words.noun, id)) }
    },
  })

export const listPipelineEvents: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    ...common,
    method: 'get',
    path: `${words.path}/{id}/monitor-events`,
    summary: 'List how a pipeline was, the newest first',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(pipelineEventLimits.kept).default(100),
      eventId: idSchema.optional(),
    }),
    answer: {
      status: 200,
      schema: z.object({ items: z.array(pipelineEventSchema) }),
      description: 'Events',
    },
    handle: async ({ caller, params: { id }, query: { limit, eventId } }) => {
      const row = await pipelines.get(services.database, caller, id)
      const events = await readPipelineEvents(services.database, row.id, { limit, id: eventId })
      return { status: 200, value: { items: events.map(toPipelineEvent) } }
    },
  })
