import { startOfText } from '@hearth/contract'
import { HearthError, newId, toError } from '@hearth/foundation'
import { OpenAPIHono } from '@hono/zod-openapi'
import {
  type Application,
  type ApplicationEnvironment,
  type Authenticate,
  authenticated,
} from '../../api/application.ts'
import { retryAfterOf } from '../../api/error-response.ts'
import { limitedBody } from '../../api/limited-body.ts'
import type { Services } from '../../api/services.ts'
import { capyError } from './error.ts'
import { addInstanceRoutes } from './instances.ts'
import { addProjectRoutes } from './projects.ts'
import { addTestRoute } from './test-boot.ts'
import { addWarmPoolRoutes } from './warm-pool.ts'

/** The dialect as an application of its own, so that errors and unknown paths are answered in its format. */
export function createCapyApplication(
  services: Services,
  authenticate: Authenticate,
  prefix: string,
): Application {
  const application: Application = new OpenAPIHono<ApplicationEnvironment>()
  application.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Hearth as Capy’s warm pool', version: '1' },
    servers: [{ url: prefix }],
  })
  application.use(async (context, next) => {
    context.set('requestId', newId())
    await next()
  })
  application.use(
    '/projects/*',
    authenticated((secret, client) => authenticate(nativeToken(secret), client), services.rates, {
      name: 'capy',
    }),
  )
  application.use('/projects/*', limitedBody)
  application.notFound((context) => {
    const error = new HearthError(
      'not_found',
      `there is no ${context.req.method} ${prefix}${startOfText(context.req.path, 200)}`,
    )
    const { status, body } = capyError(error)
    return context.json(body, status)
  })
  application.onError((thrown, context) => {
    const { status, body } = capyError(thrown)
    for (const [name, value] of Object.entries(retryAfterOf(thrown))) context.header(name, value)
    if (status >= 500) {
      services.log.error({ err: toError(thrown), requestId: context.get('requestId') }, 'request failed')
    }
    return context.json(body, status)
  })
  addProjectRoutes(application, services)
  addWarmPoolRoutes(application, services)
  addTestRoute(application, services)
  addInstanceRoutes(application, services)
  application.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
  })
  return application
}

/** The dialect's clients may require their own token prefix; the rest of the token is the same. */
function nativeToken(secret: string): string {
  return secret.replace(/^capy_/, 'hearth_')
}
