import { Code, ConnectError, createContextValues } from '@connectrpc/connect'
import {
  type UniversalHandler,
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from '@connectrpc/connect/protocol'
import { startOfText } from '@hearth/contract'
import { HearthError, newId, toError } from '@hearth/foundation'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import {
  type Application,
  type ApplicationEnvironment,
  type Authenticate,
  authenticated,
} from '../../api/application.ts'
import { limitedBody } from '../../api/limited-body.ts'
import type { Services } from '../../api/services.ts'
import { describeMethods } from './describe.ts'
import { EnvironmentOpsService } from './generated/supervisor/v1/environmentopts_pb.ts'
import { addOps } from './ops/application.ts'
import { environmentOpsService } from './ops/service.ts'
import { addServices } from './services/index.ts'
import { atOnce } from './wire/at-once.ts'
import { blamed } from './wire/blame.ts'
import { callKey, newCall } from './wire/call.ts'
import { connectErrorOf } from './wire/error.ts'
import { errorResponseOf } from './wire/error-response.ts'
import { envelopedRequest, lines, linesOf } from './wire/lines.ts'
import { withQueryPaging } from './wire/query-paging.ts'
import { createHandlers } from './wire/router.ts'

/** The dialect as an application of its own, so that errors and unknown paths are answered in its format. */
export function createOnaApplication(
  services: Services,
  authenticate: Authenticate,
  prefix: string,
): Application {
  const application: Application = new OpenAPIHono<ApplicationEnvironment>()
  const handlers = createHandlers(services.stopping, addServices)
  const opsHandlers = createHandlers(services.stopping, (router) =>
    router.service(EnvironmentOpsService, environmentOpsService),
  )
  describeMethods(application, handlers)
  application.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Hearth as Ona', version: '1' },
    servers: [{ url: prefix }],
  })
  application.use(async (context, next) => {
    context.set('requestId', newId())
    await next()
  })
  application.onError((thrown, context) => {
    const error = connectErrorOf(thrown)
    if (error.code === Code.Internal)
      services.log.error({ err: toError(thrown), requestId: context.get('requestId') }, 'request failed')
    return errorResponseOf(error)
  })
  application.notFound((context) => {
    const path = startOfText(context.req.path, 200)
    throw new HearthError('not_found', `there is no ${context.req.method} ${prefix}${path}`)
  })
  const answerTo = (
    context: Context<ApplicationEnvironment>,
    path: string,
    among: typeof handlers,
    environmentId: string | null,
  ) => answer(services, among.get(path), context, path, { environmentId, prefix })
  addOps(application, services, opsHandlers, answerTo)
  application.use(authenticated(authenticate, services.rates, { name: 'ona' }), limitedBody)
  application.all('/:service{[a-z]+\\.v1\\.[A-Za-z]+}/:method', (context) =>
    answerTo(context, context.req.path, handlers, null),
  )
  return application
}

async function answer(
  services: Services,
  handler: UniversalHandler | undefined,
  context: Context<ApplicationEnvironment>,
  path: string,
  at: { environmentId: string | null; prefix: string },
): Promise<Response> {
  const { raw, method } = context.req
  if (handler === undefined)
    throw new ConnectError(`${startOfText(path, 200)} is not supported: see /docs/ona`, Code.Unimplemented)
  services.eventLoop.note(`ona ${path}`)
  const url = new URL(raw.url)
  const sent = method === 'POST' ? new Uint8Array(await raw.arrayBuffer()) : new Uint8Array()
  const type = raw.headers.get('Content-Type') ?? ''
  const asLines = type.startsWith(lines)
  const body =
    type.startsWith('application/json') && !asLines ? withQueryPaging(sent, url.searchParams) : sent
  const request = asLines ? envelopedRequest(raw, body) : sameRequest(raw, body)
  const { signal } = raw
  const { origin } = url
  const { environmentId, prefix } = at
  const call = newCall(
    services,
    { caller: context.get('caller'), origin, address: `${origin}${prefix}`, environmentId, signal },
    body.length,
  )
  const contextValues = createContextValues().set(callKey, call)
  const isStream = handler.method.methodKind !== 'unary'
  // Whether a stream is compressed would have to be said before its first message.
  if (isStream) request.headers.delete('Connect-Accept-Encoding')
  const universal = { ...universalServerRequestFromFetch(request, {}), contextValues }
  const run = async () => universalServerResponseToFetch(await handler(universal))
  if (asLines) return atOnce(run().then(linesOf), lines)
  return isStream ? atOnce(run(), type) : blamed(await run())
}

/** Its body has been read already. */
function sameRequest(request: Request, body: Uint8Array<ArrayBuffer>): Request {
  const { url, method, signal } = request
  const headers = new Headers(request.headers)
  headers.delete('Content-Length')
  return new Request(url, { method, headers, signal, ...(method === 'POST' ? { body } : {}) })
}
