import {
  type PipelinePhase,
  type pipelineCreateSchema,
  pipelineEventSchema,
  pipelineProgramTextSchema,
  pipelineSchema,
  type pipelineUpdateSchema,
} from '@hearth/contract'
import { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/pipelines'
const eventsSchema = z.object({ items: z.array(pipelineEventSchema) })

export interface PipelineFilter {
  name?: string | undefined
  phase?: PipelinePhase | undefined
}

export const pipelines = (transport: Transport) => {
  const ask =
    (action: string) =>
    (id: string, options: CallOptions = {}) =>
      transport.json({ method: 'POST', path: `${one(path, id)}/${action}`, ...options }, pipelineSchema)
  return {
    ...collection<typeof pipelineSchema, PipelineFilter>(transport, path, pipelineSchema),
    create: (body: z.input<typeof pipelineCreateSchema>, options: CallOptions = {}) =>
      transport.json({ method: 'POST', path, body, ...options }, pipelineSchema),
    update: (id: string, body: z.input<typeof pipelineUpdateSchema>, options: CallOptions = {}) =>
      transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, pipelineSchema),
    /** Its program as it was sent. */
    program: (id: string, options: CallOptions = {}) =>
      transport.json(
        { method: 'GET', path: `${one(path, id)}/program`, ...options },
        pipelineProgramTextSchema,
      ),
    /** How it was, the newest first. */
    events: async (id: string, limit = 100, options: CallOptions = {}) => {
      const query = `${one(path, id)}/monitor-events?limit=${limit}`
      return (await transport.json({ method: 'GET', path: query, ...options }, eventsSchema)).items
    },
    /** Removes what it has stored, for good. */
    clear: ask('clear'),
    /** Forgets the error with which it stopped. */
    dismissError: ask('dismiss-error'),
    delete: deletion(transport, path),
    why: explaining(transport, path),
  }
}
