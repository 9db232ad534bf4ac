import { idSchema, prebuildKind } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import { readers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { found, idOrSharedNameParams } from '../../../api/lookup.ts'
import { addOpenEndpoint, refusal } from '../../../api/open-endpoint.ts'
import type { Services } from '../../../api/services.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { prebuilds } from '../queries.ts'
import type { PrebuildRow } from '../table.ts'
import { readPrebuildLog } from './keep.ts'
import { isLogToken, mostTokenCharacters } from './token.ts'

const { path, tag, noun } = prebuildKind
const text = 'text/plain; charset=utf-8'
const followQuery = z.enum(['true', 'false']).default('false')

function send(services: Services, context: Context, row: PrebuildRow, follow: boolean, ended: AbortSignal) {
  context.header('Content-Type', text)
  context.header('X-Content-Type-Options', 'nosniff')
  return stream(context, async (sink) => {
    const gone = new AbortController()
    sink.onAbort(() => gone.abort())
    const signal = AbortSignal.any([gone.signal, services.stopping, ended])
    for await (const part of readPrebuildLog(services, row, { follow, signal })) await sink.write(part)
  })
}

/** For those who have a token of the organization. */
export const logsRoute: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}/logs`,
    tag,
    summary:
      'What the steps of a prebuild print, as text; also when it has ended. With follow=true until then',
    roles: readers,
    params: idOrSharedNameParams,
    query: z.strictObject({ follow: followQuery }),
    answer: { status: 200, schema: z.string(), description: 'The output', mediaType: 'text/plain' },
    handle: async ({ caller, params, query, context }) => {
      const row = found(await prebuilds.find(services.database, caller, params.id), noun, params.id)
      const opened = services.streams.open(caller)
      const response = send(services, context, row, query.follow === 'true', opened.tokenEnded)
      return released(response, opened)
    },
  })

/** Gives the place of a stream back when its body has been read or is dropped. */
function released(response: Response, opened: Disposable): Response {
  const { body } = response
  if (body === null) {
    opened[Symbol.dispose]()
    return response
  }
  const through = new TransformStream()
  body.pipeTo(through.writable).then(
    () => opened[Symbol.dispose](),
    () => opened[Symbol.dispose](),
  )
  return new Response(through.readable, response)
}

/** Open: the token of the log is what proves a request; in the query, or as a bearer. */
export const openLogRoute: AddRoute = (application, services) =>
  addOpenEndpoint(
    application,
    services,
    {
      method: 'get',
      path: `${path}/{id}/log`,
      tags: [tag],
      summary: 'The same with a token for this log alone, from POST …/log-token',
      request: {
        params: z.object({ id: idSchema }),
        query: z.object({
          token: z
            .string()
            .max(mostTokenCharacters)
            .regex(/^[\w-]+$/)
            .optional(),
          follow: followQuery,
        }),
      },
      responses: {
        200: { description: 'The output', content: { 'text/plain': { schema: z.string() } } },
        401: refusal('The token is none for this log, or is over'),
      },
    },
    async (context) => {
      const id = context.req.param('id') ?? ''
      const bearer = /^Bearer (\S+)$/i.exec(context.req.header('Authorization') ?? '')?.[1]
      const token = context.req.query('token') ?? bearer ?? ''
      if (!isId(id) || !isLogToken(services.encryption, id, token, services.clock.now()))
        throw new HearthError(
          'unauthenticated',
          'the token is none for this log, or its hour is over: ask for another with POST …/log-token',
        )
      const row = found(await prebuilds.readById(services.database, id), noun, id)
      return send(services, context, row, context.req.query('follow') === 'true', services.stopping)
    },
  )
