import { isProcessLogKey, type LogChunk } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { readers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { logAnswer, streamLog } from '../../../api/log-stream.ts'
import { found, idOrSharedNameParams } from '../../../api/lookup.ts'
import { addOpenLog } from '../../../api/open-log/endpoint.ts'
import { asText } from '../../../api/open-log/text.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { environments, findEnvironment } from '../queries.ts'
import { readLogs } from './read-logs.ts'

const querySchema = z.strictObject({
  step: z
    .string()
    .max(192)
    .regex(/^[a-z][a-z0-9_]*(\.[A-Za-z0-9._-]+)?$/, 'a step, as in project_setup or clone_repo.shop')
    .optional()
    .meta({ description: 'As in `clone_repo.shop`; by default every step' }),
  follow: z.enum(['true', 'false']).default('false'),
})

export const logRoute: AddRoute = (application, services) => {
  const { database } = services
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/environments/{id}/logs',
    tag: 'Environments',
    summary: 'What the steps print, as a stream; with follow=true until provisioning has ended',
    roles: readers,
    params: idOrSharedNameParams,
    query: querySchema,
    answer: logAnswer,
    handle: async ({ caller, params, query, context }) => {
      const row = found(await findEnvironment(database, caller, params.id), 'environment', params.id)
      const step = query.step === undefined ? {} : { step: query.step }
      const options = { ...step, follow: query.follow === 'true' }
      return streamLog(services, { caller, context }, (signal) =>
        readLogs(services, row, { ...options, signal }),
      )
    },
  })
}

/** For those who have its token alone. */
export const openLogRoute: AddRoute = (application, services) =>
  addOpenLog(application, services, {
    of: 'environment',
    path: '/v1/environments/{id}/log',
    tag: 'Environments',
    summary: 'The same as text, with a token for the logs of this environment from POST …/log-token',
    below: {},
    query: {},
    find: async ({ id }) => {
      const row = found(await environments.readById(services.database, id), 'environment', id)
      return (options) => asText(ofSteps(readLogs(services, row, options)))
    },
  })

async function* ofSteps(chunks: AsyncIterable<LogChunk>): AsyncGenerator<LogChunk> {
  for await (const chunk of chunks) if (!isProcessLogKey(chunk.step)) yield chunk
}
