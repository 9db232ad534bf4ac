import { errorBodySchema } from '@hearth/contract'
import { getConnInfo } from '@hono/node-server/conninfo'
import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import type { Context, Handler, MiddlewareHandler } from 'hono'
import type { Application, ApplicationEnvironment } from './application.ts'
import { limitedBody } from './limited-body.ts'
import type { SenderRates } from './sender-rates.ts'
import type { Services } from './services.ts'

/** A refusal that is documented; its body is that of every error. */
export const refusal = (description: string) => ({
  description,
  content: { 'application/json': { schema: errorBodySchema } },
})

/**
 * Adds a route that is open to anybody and its OpenAPI description: what proves a request is the route's own. Each sender is
 * bound before anything is read of what it sends.
 */
export function addOpenEndpoint(
  application: Application,
  services: Services,
  endpoint: Omit<RouteConfig, 'security'>,
  handle: Handler<ApplicationEnvironment>,
): void {
  const route = createRoute({
    ...endpoint,
    security: [],
    responses: {
      ...endpoint.responses,
      429: refusal('Too many from this address: again after `Retry-After` seconds'),
    },
  })
  application.openAPIRegistry.registerPath(route)
  const bounds = [boundSender(services.senderRates), limitedBody] as const
  application.on(endpoint.method.toUpperCase(), route.getRoutingPath(), ...bounds, handle)
}

function boundSender(rates: SenderRates): MiddlewareHandler<ApplicationEnvironment> {
  return async (context, next) => {
    rates.take({ peer: peerOf(context), forwardedFor: context.req.header('X-Forwarded-For') })
    await next()
  }
}

/** null where the application is called without a connection. */
function peerOf(context: Context): string | null {
  return context.env === undefined ? null : (getConnInfo(context).remote.address ?? null)
}
