import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import {
  answerFormatSchema,
  askPipeline,
  relationSchema,
  rowFormatSchema,
  rowTypes,
  sqlSchema,
  streamPipeline,
  updateFormatSchema,
} from '../../kinds/pipeline/index.ts'
import { FelderaError, felderaErrors } from './error.ts'
import { findPipeline, nameParams } from './names.ts'

const tag = 'Pipelines'
const one = '/pipelines/{pipeline_name}'
const relationParams = nameParams.extend({ table_name: relationSchema })
const switchSchema = z.enum(['true', 'false']).default('false')
const answer = (description: string) => ({ status: 200 as const, schema: z.unknown(), description })

/** What goes into a running pipeline, and what comes out of it. */
export function addTrafficRoutes(application: Application, services: Services): void {
  const find = findPipeline.bind(null, services)
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: `${one}/ingress/{table_name}`,
      tag,
      summary: 'Send rows into a table, at most 1 MiB at once: all of them are taken, or none',
      roles: writers,
      params: relationParams,
      query: z.object({
        format: rowFormatSchema.default('json'),
        update_format: updateFormatSchema.default('insert_delete'),
        array: switchSchema,
        force: switchSchema,
      }),
      upload: [...rowTypes, 'application/json'],
      answer: answer('They are taken'),
      handle: async ({ caller, context, params, query }) => {
        const row = await find(caller, params.pipeline_name)
        const { format, update_format: updateFormat } = query
        const value = await interacting(async () =>
          askPipeline(services, { caller, context }, row, {
            ...{ ask: 'ingress', table: params.table_name, format, updateFormat },
            isArray: query.array === 'true',
            isForced: query.force === 'true',
            rows: Buffer.from(await context.req.arrayBuffer()),
          }),
        )
        return { status: 200, value }
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: `${one}/egress/{table_name}`,
      tag,
      summary: 'What changes in a table or view, as a stream',
      roles: readers,
      params: relationParams,
      query: z.object({ format: rowFormatSchema.default('json'), send_snapshot: switchSchema }),
      answer: answer('Changes'),
      handle: async ({ caller, context, params, query: { format, send_snapshot } }) => {
        const row = await find(caller, params.pipeline_name)
        const withSnapshot = send_snapshot === 'true'
        const request = { ask: 'egress' as const, relation: params.table_name, format, withSnapshot }
        return interacting(() => streamPipeline(services, { caller, context }, row, request))
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: `${one}/query`,
      tag,
      summary: 'What a SELECT answers, as a stream',
      roles: readers,
      params: nameParams,
      query: z.object({ sql: sqlSchema, format: answerFormatSchema.default('text') }),
      answer: answer('Rows'),
      handle: async ({ caller, context, params, query: { sql, format } }) => {
        const row = await find(caller, params.pipeline_name)
        const request = { ask: 'query' as const, sql, format }
        return interacting(() => streamPipeline(services, { caller, context }, row, request))
      },
    },
    felderaErrors,
  )
  for (const { method, ask, roles } of [
    { method: 'post', ask: 'checkpoint', roles: writers },
    { method: 'get', ask: 'stats', roles: readers },
  ] as const)
    addEndpoint(
      application,
      services,
      {
        method,
        path: `${one}/${ask}`,
        tag,
        summary: ask === 'stats' ? 'What it has counted' : 'Have it store where it is',
        roles,
        params: nameParams,
        answer: answer('What the program says'),
        handle: async ({ caller, context, params }) => {
          const row = await find(caller, params.pipeline_name)
          const value = await interacting(() => askPipeline(services, { caller, context }, row, { ask }))
          return { status: 200, value }
        },
      },
      felderaErrors,
    )
}

/** A program, machine or host that does not answer is told by the code for that. */
async function interacting<Answer>(interact: () => Promise<Answer>): Promise<Answer> {
  try {
    return await interact()
  } catch (thrown) {
    if (!(thrown instanceof HearthError)) throw thrown
    const { code, facts, message } = thrown
    const isUnreached = code === 'unavailable' || (code === 'conflict' && facts.refusal === undefined)
    if (!isUnreached) throw thrown
    throw new FelderaError(503, 'PipelineInteractionUnreachable', message, facts)
  }
}
