import type { UniversalHandler } from '@connectrpc/connect/protocol'
import { HearthError, isId } from '@hearth/foundation'
import type { Context } from 'hono'
import type { Application, ApplicationEnvironment } from '../../../api/application.ts'
import { limitedBody } from '../../../api/limited-body.ts'
import type { Services } from '../../../api/services.ts'
import { callerByAccessToken } from '../../../kinds/environment/index.ts'

type Answer = (
  context: Context<ApplicationEnvironment>,
  path: string,
  handlers: ReadonlyMap<string, UniversalHandler>,
  environmentId: string,
) => Promise<Response>

/** Adds the address of each environment, at which its access token is asked for and no other. */
export function addOps(
  application: Application,
  services: Services,
  handlers: ReadonlyMap<string, UniversalHandler>,
  answer: Answer,
): void {
  application.all(
    '/ops/:id/:service{[a-z]+\\.v1\\.[A-Za-z]+}/:method',
    async (context, next) => {
      const secret = /^Bearer (\S+)$/i.exec(context.req.header('Authorization') ?? '')?.[1] ?? ''
      const id = context.req.param('id')
      if (!isId(id)) throw new HearthError('not_found', 'there is no such environment')
      const caller = await callerByAccessToken(services, id, secret)
      services.rates.take(caller)
      context.set('caller', caller)
      await next()
    },
    limitedBody,
    (context) => {
      const { id, service, method } = context.req.param()
      return answer(context, `/${service}/${method}`, handlers, id)
    },
  )
}
