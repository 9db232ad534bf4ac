import { pipelineKind as words } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { readers, writers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { pipelineParams } from '../program-routes.ts'
import { pipelines } from '../queries.ts'
import {
  answerFormatSchema,
  relationSchema,
  requireRows,
  rowFormatSchema,
  rowTypes,
  sqlSchema,
  switchSchema,
  updateFormatSchema,
} from './requests.ts'
import { askPipeline, streamPipeline } from './traffic.ts'

const { tag, path } = words
const relationParams = pipelineParams.extend({ name: relationSchema })
const said = (description: string) => ({ status: 200 as const, schema: z.unknown(), description })

const ingress: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/ingress/{name}`,
    tag,
    summary:
      'Send rows into a table of a running pipeline, at most 1 MiB at once: all of them are taken, or none. Repeats under one key get the first answer for ten minutes',
    roles: writers,
    params: relationParams,
    query: z.strictObject({
      format: rowFormatSchema.default('json'),
      updateFormat: updateFormatSchema.default('raw').meta({
        description: 'Whether a row is one as it is, or says `insert` or `delete` before it',
      }),
      array: switchSchema.default('false').meta({ description: 'Whether the rows are one JSON array' }),
      force: switchSchema.default('false').meta({ description: 'Whether a paused pipeline takes them too' }),
    }),
    upload: rowTypes,
    answer: said('What the program says'),
    handle: async ({ caller, context, params, query }) => {
      requireRows(context.req.raw.headers)
      const row = await pipelines.get(services.database, caller, params.id)
      const { format, updateFormat } = query
      const value = await askPipeline(services, { caller, context }, row, {
        ...{ ask: 'ingress', table: params.name, format, updateFormat },
        isArray: query.array === 'true',
        isForced: query.force === 'true',
        rows: Buffer.from(await context.req.arrayBuffer()),
      })
      return { status: 200, value }
    },
  })

const egress: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/egress/{name}`,
    tag,
    summary: 'What changes in a table or view of a running pipeline, as a stream of JSON objects a line each',
    roles: readers,
    params: relationParams,
    query: z.strictObject({
      format: rowFormatSchema.default('json'),
      snapshot: switchSchema.default('false').meta({ description: 'Whether it begins with what is there' }),
    }),
    answer: said('Changes'),
    handle: async ({ caller, context, params, query: { format, snapshot } }) => {
      const row = await pipelines.get(services.database, caller, params.id)
      const withSnapshot = snapshot === 'true'
      const request = { ask: 'egress' as const, relation: params.name, format, withSnapshot }
      return streamPipeline(services, { caller, context }, row, request)
    },
  })

const query: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}/query`,
    tag,
    summary:
      'What a SELECT answers in a running pipeline, as a stream: a JSON object a row, or a table of text',
    roles: readers,
    params: pipelineParams,
    query: z.strictObject({ sql: sqlSchema, format: answerFormatSchema.default('json') }),
    answer: said('Rows'),
    handle: async ({ caller, context, params, query: { sql, format } }) => {
      const row = await pipelines.get(services.database, caller, params.id)
      return streamPipeline(services, { caller, context }, row, { ask: 'query', sql, format })
    },
  })

const checkpoint: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/checkpoint`,
    tag,
    summary:
      'Have a running pipeline store where it is. Repeats under one key get the first answer for ten minutes',
    roles: writers,
    params: pipelineParams,
    answer: said('What the program says'),
    handle: async ({ caller, context, params }) => {
      const row = await pipelines.get(services.database, caller, params.id)
      const value = await askPipeline(services, { caller, context }, row, { ask: 'checkpoint' })
      return { status: 200, value }
    },
  })

const shown = (ask: 'status' | 'stats', below: string, summary: string): AddRoute => {
  return (application, services) =>
    addEndpoint(application, services, {
      method: 'get',
      path: `${path}/{id}/${below}`,
      tag,
      summary,
      roles: readers,
      params: pipelineParams,
      answer: said('What the program says'),
      handle: async ({ caller, context, params }) => {
        const row = await pipelines.get(services.database, caller, params.id)
        return { status: 200, value: await askPipeline(services, { caller, context }, row, { ask }) }
      },
    })
}

/** What goes into the program of a running pipeline, and what comes out of it. */
export const trafficRoutes: readonly AddRoute[] = [
  ingress,
  egress,
  query,
  checkpoint,
  shown('status', 'program-status', 'What the program of a running pipeline says of how it is'),
  shown('stats', 'stats', 'What the program of a running pipeline has counted'),
]
