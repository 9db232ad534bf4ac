import { startOfText } from '@hearth/contract'
import { newId, toError } from '@hearth/foundation'
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
import { addAboutRoutes, addAuthenticationRoute } from './about.ts'
import { addAbsentRoutes } from './absent.ts'
import { addApiKeyRoutes } from './api-keys.ts'
import { FelderaError, felderaError } from './error.ts'
import { addEventRoutes } from './events.ts'
import { addLogRoutes } from './logs.ts'
import { addPipelineRoutes } from './pipelines.ts'
import { addRequestRoutes } from './requests.ts'
import { addTrafficRoutes } from './traffic.ts'

/** The dialect as an application of its own, so that errors and unknown paths are answered in its format. */
export function createFelderaApplication(
  services: Services,
  authenticate: Authenticate,
  prefix: string,
): Application {
  const application = newApplication(services, prefix)
  application.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Hearth as Feldera', version: '0' },
    servers: [{ url: prefix }],
  })
  application.use(authenticated(authenticate, services.rates, { name: 'feldera', secretOf }), limitedBody)
  addAboutRoutes(application, services)
  addApiKeyRoutes(application, services)
  addPipelineRoutes(application, services)
  addRequestRoutes(application, services)
  addEventRoutes(application, services)
  addTrafficRoutes(application, services)
  addLogRoutes(application, services)
  addAbsentRoutes(application)
  return application
}

/** What is asked before there is a token. */
export function createAuthenticationApplication(services: Services, prefix: string): Application {
  const application = newApplication(services, prefix)
  addAuthenticationRoute(application, services)
  return application
}

function newApplication(services: Services, prefix: string): Application {
  const application: Application = new OpenAPIHono<ApplicationEnvironment>({ strict: false })
  application.use(async (context, next) => {
    context.set('requestId', newId())
    await next()
  })
  application.notFound((context) => {
    const path = startOfText(context.req.path, 200)
    const { status, body } = felderaError(
      new FelderaError(404, 'NotFound', `there is no ${context.req.method} ${prefix}${path}`),
    )
    return context.json(body, status)
  })
  application.onError((thrown, context) => {
    const { status, body } = felderaError(thrown)
    for (const [name, value] of Object.entries(retryAfterOf(thrown))) context.header(name, value)
    if (status === 500)
      services.log.error({ err: toError(thrown), requestId: context.get('requestId') }, 'request failed')
    return context.json(body, status)
  })
  return application
}

/** A token as it is, or as a key of the other system: after `apikey:`. */
function secretOf(headers: Headers): string | undefined {
  return /^Bearer (?:apikey:)?(\S+)$/i.exec(headers.get('Authorization') ?? '')?.[1]
}
