import { idSchema } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../application.ts'
import { addOpenEndpoint, refusal } from '../open-endpoint.ts'
import type { Services } from '../services.ts'
import { validate } from '../validation.ts'
import { sendText } from './send.ts'
import { isLogToken, type LogSubject, mostTokenCharacters } from './token.ts'

export const followQuery = z.enum(['true', 'false']).default('false')
const tokenQuery = z
  .string()
  .max(mostTokenCharacters)
  .regex(/^[\w-]+$/)
  .optional()

type Shape = z.ZodRawShape
type Given<Fields extends Shape> = z.output<z.ZodObject<Fields>>

/** A log that is read with a token for it alone. */
interface OpenLog<Below extends Shape, Query extends Shape> {
  of: LogSubject['kind']
  /** With the subject's `{id}`. */
  path: string
  tag: string
  summary: string
  /** What else is in the path and in the query. */
  below: Below
  query: Query
  /** Finds what is read; throws where there is nothing. */
  find(
    wanted: { id: string } & Given<Below> & Given<Query>,
  ): Promise<(options: { follow: boolean; signal: AbortSignal }) => AsyncIterable<string>>
}

/** Adds a log that is open: the token is what proves a request; in the query, or as a bearer. */
export function addOpenLog<Below extends Shape, Query extends Shape>(
  application: Application,
  services: Services,
  { of, path, tag, summary, below, query, find }: OpenLog<Below, Query>,
): void {
  const params = z.object({ id: idSchema, ...below })
  const queries = z.object({ token: tokenQuery, follow: followQuery, ...query })
  addOpenEndpoint(
    application,
    services,
    {
      method: 'get',
      path,
      tags: [tag],
      summary,
      request: { params, query: queries },
      responses: {
        200: { description: 'The output', content: { 'text/plain': { schema: z.string() } } },
        401: refusal('The token is none for this log, or is over'),
      },
    },
    async (context) => {
      const id = context.req.param('id') ?? ''
      const bearer = /^Bearer (\S+)$/i.exec(context.req.header('Authorization') ?? '')?.[1]
      const token = context.req.query('token') ?? bearer ?? ''
      if (!isId(id) || !isLogToken(services.encryption, { kind: of, id }, token, services.clock.now()))
        throw new HearthError(
          'unauthenticated',
          'the token is none for this log, or its hour is over: ask for another with POST …/log-token',
        )
      const asked = validate(queries, context.req.query(), 'query') as { follow: string } & Given<Query>
      const wanted = validate(params, context.req.param(), 'path') as { id: string } & Given<Below>
      const read = await find({ ...wanted, ...asked })
      const follow = asked.follow === 'true'
      return sendText(services, context, services.stopping, (signal) => read({ follow, signal }))
    },
  )
}
