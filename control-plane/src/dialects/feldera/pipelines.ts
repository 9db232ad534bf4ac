import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import {
  changePipeline,
  createPipeline,
  deletePipeline,
  findPipelineNamed,
  type PipelineRow,
  type readProgramTexts,
} from '../../kinds/pipeline/index.ts'
import { FelderaError, felderaErrors } from './error.ts'
import { listedJson, selectedInfos } from './listed.ts'
import { findPipeline, nameParams, requireName } from './names.ts'
import {
  patchSchema,
  pipelineInfoSchema,
  postPutSchema,
  selectedInfoSchema,
  selectorQuery,
} from './schemas.ts'
import { toCreate, toReplacement, toUpdate } from './translate.ts'

export const tag = 'Pipelines'
const one = '/pipelines/{pipeline_name}'
const whole = (status: 200 | 201) => ({ status, schema: pipelineInfoSchema, description: 'The pipeline' })

/** A changed pipeline, read in the transaction that changed it. */
const replyWith =
  (status: 200 | 201) => async (row: PipelineRow, tx: Parameters<typeof readProgramTexts>[0]) => {
    const [value] = await selectedInfos(tx, [row], 'all')
    return { status, value }
  }

export function addPipelineRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/pipelines',
      tag,
      summary: 'List pipelines',
      roles: readers,
      query: selectorQuery,
      answer: { status: 200, schema: z.array(selectedInfoSchema), description: 'Pipelines' },
      handle: async ({ caller, query: { selector } }) => {
        const parts = listedJson(services, caller, selector)
        // What cannot be read at all is an error; what fails later cuts the answer off.
        const first = await parts.next()
        const body = ReadableStream.from(encoded(first.value ?? '', parts))
        return new Response(body, { headers: { 'Content-Type': 'application/json' } })
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/pipelines',
      tag,
      summary: 'Make a pipeline',
      roles: writers,
      body: postPutSchema,
      answer: whole(201),
      handle: async ({ body, perform }) => {
        requireName(body.name)
        return perform(createPipeline, toCreate(body), replyWith(201))
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: one,
      tag,
      summary: 'Show a pipeline',
      roles: readers,
      params: nameParams,
      query: selectorQuery,
      answer: { status: 200, schema: selectedInfoSchema, description: 'The pipeline' },
      handle: async ({ caller, params, query: { selector } }) => {
        const row = await findPipeline(services, caller, params.pipeline_name)
        const [value] = await selectedInfos(database, [row], selector)
        return { status: 200, value }
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'put',
      path: one,
      tag,
      summary: 'Make a pipeline, or replace what is written of it',
      roles: writers,
      params: nameParams,
      body: postPutSchema,
      answer: whole(200),
      handle: async ({ caller, params, body, perform }) => {
        requireName(body.name)
        const { pipeline_name: name } = params
        const row = await findPipelineNamed(database, caller.organizationId, name)
        if (row !== undefined) {
          const update = { reference: row.id, body: toReplacement(body) }
          return perform(changePipeline, update, replyWith(200))
        }
        if (name !== body.name)
          throw new FelderaError(
            400,
            'CannotRenameNonExistingPipeline',
            `there is no pipeline ${name} that could be renamed to ${body.name}`,
          )
        return perform(createPipeline, toCreate(body), replyWith(201))
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'patch',
      path: one,
      tag,
      summary: 'Change what is given',
      roles: writers,
      params: nameParams,
      body: patchSchema,
      answer: whole(200),
      handle: async ({ caller, params, body, perform }) => {
        if (body.name != null) requireName(body.name)
        const { id: reference } = await findPipeline(services, caller, params.pipeline_name)
        return perform(changePipeline, { reference, body: toUpdate(body) }, replyWith(200))
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'delete',
      path: one,
      tag,
      summary: 'Delete a pipeline that is stopped and whose storage is cleared',
      roles: writers,
      params: nameParams,
      answer: { status: 200, schema: z.null(), description: 'It is gone' },
      handle: async ({ caller, params, perform }) => {
        const { id: reference } = await findPipeline(services, caller, params.pipeline_name)
        return perform(deletePipeline, { reference, body: undefined }, () => ({ status: 200, value: null }))
      },
    },
    felderaErrors,
  )
}

async function* encoded(first: string, rest: AsyncGenerator<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  yield encoder.encode(first)
  for await (const part of rest) yield encoder.encode(part)
}
