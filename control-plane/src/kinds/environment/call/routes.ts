import {
  execRequestSchema,
  execResultSchema,
  fileContentSchema,
  fileReadSchema,
  fileWriteSchema,
  fileWrittenSchema,
} from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import { writers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { idOrSharedNameParams } from '../../../api/lookup.ts'
import type { Services } from '../../../api/services.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { execInMachine, type MachineCaller, readInMachine, writeInMachine } from './call.ts'

/** A route that does something in a running machine at once. Its answer is not stored: see `docs/decisions/calls-over-nats.md`. */
function callRoute<Body extends z.ZodType>(
  below: string,
  route: { summary: string; description: string; body: Body; schema: z.ZodType },
  run: (services: Services, from: MachineCaller, body: z.output<Body>) => Promise<unknown>,
): AddRoute {
  const { summary, description, body, schema } = route
  return (application, services) =>
    addEndpoint(application, services, {
      method: 'post',
      path: `/v1/environments/{id}/${below}`,
      tag: 'Environments',
      summary,
      roles: writers,
      params: idOrSharedNameParams,
      body: body as z.ZodType,
      answer: { status: 200, schema, description },
      handle: async ({ caller, params, body: asked, context }) => {
        const from = {
          caller,
          reference: params.id,
          key: context.req.header('Idempotency-Key') ?? null,
          signal: context.req.raw.signal,
        }
        return { status: 200, value: await run(services, from, asked as z.output<Body>) }
      },
    })
}

export const callRoutes: readonly AddRoute[] = [
  callRoute(
    'exec',
    {
      summary:
        'Run a command in a running machine and wait for it; it ends when the caller leaves. Repeats under one key get the first answer for ten minutes',
      description: 'How it ended, and what it printed',
      body: execRequestSchema,
      schema: execResultSchema,
    },
    async (services, from, body) => {
      const { exitCode, stdout, stderr, ...cut } = await execInMachine(services, from, body)
      return {
        exitCode,
        timedOut: exitCode === null,
        stdout: stdout.toString('utf8'),
        stderr: stderr.toString('utf8'),
        ...cut,
      }
    },
  ),
  callRoute(
    'files/read',
    {
      summary: 'Read a part of a file of a running machine, or list a folder',
      description: 'Its content',
      body: fileReadSchema,
      schema: fileContentSchema,
    },
    async (services, from, body) => {
      const read = await readInMachine(services, from, body)
      return read.kind === 'folder' ? read : { ...read, content: read.content.toString('base64') }
    },
  ),
  callRoute(
    'files/write',
    {
      summary:
        'Write a file of a running machine. Repeats under one key get the first answer for ten minutes',
      description: 'How much was written',
      body: fileWriteSchema,
      schema: fileWrittenSchema,
    },
    async (services, from, { path, content, mode }) => {
      const bytes = Buffer.from(content, 'base64')
      await writeInMachine(services, from, { path, content: bytes, mode })
      return { bytes: bytes.length }
    },
  ),
]
