import { startOfText } from '@hearth/contract'
import { HearthError, newId, toError } from '@hearth/foundation'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import type { Caller } from './caller.ts'
import { errorResponse, retryAfterOf } from './error-response.ts'
import { limitedExcept } from './limited-body.ts'
import type { RequestRates } from './request-rates.ts'
import type { Services } from './services.ts'

export interface ApplicationEnvironment {
  Variables: { caller: Caller; requestId: string }
}
export type Application = OpenAPIHono<ApplicationEnvironment>

/** Looks a token's secret up, for a client of this name; null when it is not known or has ended. */
export type Authenticate = (secret: string, client: string) => Promise<Caller | null>

export interface Interface {
  /** Of a dialect, or Hearth's own. */
  name: string
  /** The secret of the token that a request shows. */
  secretOf(headers: Headers): string | undefined
}

const bearerOf = (headers: Headers) => /^Bearer (\S+)$/i.exec(headers.get('Authorization') ?? '')?.[1]

/** Admits requests with a valid token within the request rate, and stores the caller in the context. */
export function authenticated(
  authenticate: Authenticate,
  rates: RequestRates,
  { name = 'hearth', secretOf = bearerOf }: Partial<Interface> = {},
): MiddlewareHandler<ApplicationEnvironment> {
  return async (context, next) => {
    const secret = secretOf(context.req.raw.headers)
    const client = clientOf(name, context.req.header('User-Agent'))
    const caller = secret === undefined ? null : await authenticate(secret, client)
    if (caller === null) {
      throw new HearthError('unauthenticated', 'send a valid token: Authorization: Bearer <token>')
    }
    rates.take(caller)
    context.set('caller', caller)
    await next()
  }
}

const mostClientCharacters = 100

/** What a client says that it is, as far as it can be shown. */
function clientOf(name: string, userAgent = ''): string {
  const said = startOfText(userAgent.replace(/[^\x20-\x7e]/g, ''), mostClientCharacters).trim()
  return said === '' ? name : `${name}: ${said}`
}

/**
 * The HTTP application without the kinds' routes that need a token: request ids, authentication below /v1, body limit,
 * errors, metrics.
 */
export function createApplication(
  services: Services,
  authenticate: Authenticate,
  addOpenRoutes: (application: Application) => void = () => undefined,
): Application {
  const application: Application = new OpenAPIHono<ApplicationEnvironment>()

  application.use(async (context, next) => {
    const requestId = newId()
    context.set('requestId', requestId)
    const started = performance.now()
    await next()
    context.header('X-Request-Id', requestId)
    if (services.draining.aborted) context.header('Connection', 'close')
    const seconds = (performance.now() - started) / 1000
    const labels = { method: context.req.method, route: context.req.routePath, status: context.res.status }
    services.metrics.requestSeconds.observe(labels, seconds)
    services.log.debug({ requestId, ...labels, path: context.req.path, seconds }, 'request')
  })
  // Before the authentication, which they do not need.
  addOpenRoutes(application)
  application.use('/v1/*', authenticated(authenticate, services.rates))
  application.use('/v1/*', limitedExcept(/^\/v1\/(?:artifacts|spaces\/[^/]+\/deployments)\/?$/))

  application.notFound((context) => {
    const error = new HearthError(
      'not_found',
      `there is no ${context.req.method} ${startOfText(context.req.path, 200)}; see /docs`,
    )
    const { status, body } = errorResponse(error, context.get('requestId'))
    return context.json(body, status)
  })
  application.onError((thrown, context) => {
    const { status, body } = errorResponse(thrown, context.get('requestId'))
    for (const [name, value] of Object.entries(retryAfterOf(thrown))) context.header(name, value)
    if (status >= 500)
      services.log.error({ err: toError(thrown), requestId: body.error.requestId }, 'request failed')
    return context.json(body, status)
  })
  return application
}
