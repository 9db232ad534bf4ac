import { newId, toError } from '@hearth/foundation'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import {
  type Application,
  type ApplicationEnvironment,
  type Authenticate,
  authenticated,
} from '../../api/application.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { retryAfterOf } from '../../api/error-response.ts'
import type { Services } from '../../api/services.ts'
import { apiGroupList, apiResourceList, apiVersions, serverVersion, singleApiGroup } from './discovery.ts'
import { paths } from './names.ts'
import { addSessionRoutes } from './sessions.ts'
import { methodNotAllowed, noSuchPath, statuses, statusOf } from './status.ts'

export const document = `${paths.group}/openapi.json`

/** What the clients ask before anything else, to learn what there is. */
const discovery = [
  { path: '/api', value: apiVersions, summary: 'The versions of the core group: none' },
  { path: '/apis', value: apiGroupList, summary: 'The groups' },
  { path: paths.group, value: singleApiGroup, summary: 'The versions of the group' },
  { path: paths.version, value: apiResourceList, summary: 'The resources of the group' },
]

/** The dialect as an application of its own, so that errors and unknown paths are answered in its format. */
export function createTiltApplication(services: Services, authenticate: Authenticate): Application {
  const application: Application = new OpenAPIHono<ApplicationEnvironment>()
  application.doc31(document, {
    openapi: '3.1.0',
    info: { title: 'Hearth as Tilt’s sessions', version: '1' },
  })
  application.use(async (context, next) => {
    context.set('requestId', newId())
    await next()
  })
  application.get('/version', (context) => context.json(serverVersion))
  application.use(authenticated(authenticate, services.rates, { name: 'tilt' }))
  application.notFound((context) => context.json(noSuchPath(), 404))
  application.onError((thrown, context) => {
    const status = statusOf(thrown)
    for (const [name, value] of Object.entries(retryAfterOf(thrown))) context.header(name, value)
    if (status.code >= 500)
      services.log.error({ err: toError(thrown), requestId: context.get('requestId') }, 'request failed')
    return context.json(status, status.code)
  })
  for (const { path, value, summary } of discovery)
    addEndpoint(
      application,
      services,
      {
        method: 'get',
        path,
        tag: 'Discovery',
        summary,
        roles: [],
        query: z.looseObject({}),
        answer: { status: 200, schema: z.looseObject({ kind: z.string() }), description: 'What there is' },
        handle: async () => ({ status: 200, value }),
      },
      statuses,
    )
  addSessionRoutes(application, services)
  for (const path of [paths.list, `${paths.list}/:name`, `${paths.list}/:name/status`])
    application.all(path, (context) => {
      context.header('Allow', 'GET')
      return context.json(methodNotAllowed(), 405)
    })
  application.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
  })
  return application
}
