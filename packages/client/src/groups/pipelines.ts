import {
  type PipelinePhase,
  type pipelineActivateSchema,
  type pipelineApproveSchema,
  type pipelineCreateSchema,
  pipelineEventSchema,
  pipelineProgramTextSchema,
  pipelineSchema,
  type pipelineStartSchema,
  type pipelineStopSchema,
  type pipelineUpdateSchema,
} from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'
import { type LogOptions, readLogs } from '../streams/logs.ts'

const path = '/v1/pipelines'
const eventsSchema = z.object({ items: z.array(pipelineEventSchema) })

export interface PipelineFilter {
  name?: string | undefined
  phase?: PipelinePhase | undefined
}

export interface SendOptions {
  format?: 'json' | 'csv' | undefined
  /** Whether a row is one as it is (`raw`, the default), or says `insert` or `delete` before it. */
  updateFormat?: 'raw' | 'insert_delete' | undefined
  /** Into a paused one too. */
  force?: boolean | undefined
}

export const pipelines = (transport: Transport) => {
  const tell = (id: string, action: string, body: object | undefined, options: CallOptions) =>
    transport.json(
      {
        method: 'POST',
        path: `${one(path, id)}/${action}`,
        ...(body === undefined ? {} : { body }),
        ...options,
      },
      pipelineSchema,
    )
  const ask =
    (action: string) =>
    (id: string, options: CallOptions = {}) =>
      tell(id, action, undefined, options)
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
    /** Compiles its program again. */
    compile: ask('compile'),
    start: (id: string, body: z.input<typeof pipelineStartSchema> = {}, options: CallOptions = {}) =>
      tell(id, 'start', body, options),
    /** Has it store where it is, then stops it; by force at once. */
    stop: (id: string, body: z.input<typeof pipelineStopSchema> = {}, options: CallOptions = {}) =>
      tell(id, 'stop', body, options),
    pause: ask('pause'),
    resume: ask('resume'),
    /** Has a standby take over. */
    activate: (id: string, body: z.input<typeof pipelineActivateSchema> = {}, options: CallOptions = {}) =>
      tell(id, 'activate', body, options),
    /** Approves that its changed program computes what it stores anew. */
    approve: (id: string, body: z.input<typeof pipelineApproveSchema> = {}, options: CallOptions = {}) =>
      tell(id, 'approve', body, options),
    /** Removes what it has stored, for good. */
    clear: ask('clear'),
    /** Forgets the error with which it stopped. */
    dismissError: ask('dismiss-error'),
    delete: deletion(transport, path),
    why: explaining(transport, path),
    /** What its newest machine prints for it; with `follow` until it is at rest. */
    logs: (id: string, options: LogOptions) => readLogs(transport, `${one(path, id)}/logs`, options),
    /** Rows into a table of it, while it runs: all of them, or none. */
    send: (
      id: string,
      table: string,
      rows: Uint8Array,
      { format, updateFormat, force, ...options }: CallOptions & SendOptions = {},
    ) =>
      transport.upload(
        {
          method: 'POST',
          path: `${one(path, id)}/ingress/${encodeURIComponent(table)}`,
          query: { format, updateFormat, force },
          headers: { 'content-type': 'application/octet-stream' },
          idempotencyKey: newId(),
          ...options,
        },
        new Blob([new Uint8Array(rows)]).stream(),
        z.unknown(),
      ),
    /** What a SELECT answers while it runs, piece by piece. */
    async *query(
      id: string,
      sql: string,
      { format = 'json', signal }: { format?: 'json' | 'text'; signal?: AbortSignal | undefined } = {},
    ): AsyncGenerator<string> {
      const response = await transport.open({
        method: 'GET',
        path: `${one(path, id)}/query`,
        query: { sql, format },
        signal,
      })
      const decoder = new TextDecoder()
      for await (const piece of response.body ?? []) yield decoder.decode(piece, { stream: true })
      yield decoder.decode()
    },
  }
}
