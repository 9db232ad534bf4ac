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
import { limitedExcept } from '../../api/limited-body.ts'
import type { Services } from '../../api/services.ts'
import { addComputerRoutes } from './computers.ts'
import { addDeployRoutes, uploads } from './deployments.ts'
import { konigleError } from './error.ts'
import { addJobRoutes } from './jobs.ts'
import { addSpaceRoutes } from './spaces.ts'
import { addWebAppRoutes } from './web-apps.ts'

/** The dialect as an application of its own, so that errors and unknown paths are answered in its format. */
export function createKonigleApplication(
  services: Services,
  authenticate: Authenticate,
  prefix: string,
): Application {
  // Clients of Django end their paths with a slash.
  const application: Application = new OpenAPIHono<ApplicationEnvironment>({ strict: false })
  application.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Hearth as Konigle’s cloud', version: '1' },
    servers: [{ url: prefix }],
  })
  application.use(async (context, next) => {
    context.set('requestId', newId())
    await next()
  })
  application.notFound((context) => {
    const path = startOfText(context.req.path, 200)
    const { status, body } = konigleError(
      new HearthError('not_found', `there is no ${context.req.method} ${prefix}${path}`),
    )
    return context.json(body, status)
  })
  application.onError((thrown, context) => {
    const { status, body } = konigleError(thrown)
    for (const [name, value] of Object.entries(retryAfterOf(thrown))) context.header(name, value)
    if (status >= 500)
      services.log.error({ err: toError(thrown), requestId: context.get('requestId') }, 'request failed')
    return context.json(body, status)
  })
  application.use(
    authenticated(authenticate, services.rates, { name: 'konigle', secretOf }),
    limitedExcept(uploads),
  )
  addComputerRoutes(application, services)
  addJobRoutes(application, services)
  addWebAppRoutes(application, services)
  addSpaceRoutes(application, services)
  addDeployRoutes(application, services)
  return application
}

/** A token in any of the headers that its clients may send. */
function secretOf(headers: Headers): string | undefined {
  const [, secret] = /^(?:Bearer|Api-Key) (\S+)$/i.exec(headers.get('Authorization') ?? '') ?? []
  return secret ?? headers.get('X-Api-Key') ?? undefined
}
