import { prebuildKind } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { readers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { found, idOrSharedNameParams } from '../../../api/lookup.ts'
import { addOpenLog, followQuery } from '../../../api/open-log/endpoint.ts'
import { sendText } from '../../../api/open-log/send.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { prebuilds } from '../queries.ts'
import { readPrebuildLog } from './keep.ts'

const { path, tag, noun } = prebuildKind
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
      const follow = query.follow === 'true'
      const response = sendText(services, context, opened.tokenEnded, (signal) =>
        readPrebuildLog(services, row, { follow, signal }),
      )
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

/** For those who have its token alone. */
export const openLogRoute: AddRoute = (application, services) =>
  addOpenLog(application, services, {
    of: 'prebuild',
    path: `${path}/{id}/log`,
    tag,
    summary: 'The same with a token for this log alone, from POST …/log-token',
    below: {},
    query: {},
    find: async ({ id }) => {
      const row = found(await prebuilds.readById(services.database, id), noun, id)
      return (options) => readPrebuildLog(services, row, options)
    },
  })
