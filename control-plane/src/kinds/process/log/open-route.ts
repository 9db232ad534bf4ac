import { idSchema, largestInteger } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { found } from '../../../api/lookup.ts'
import { addOpenLog } from '../../../api/open-log/endpoint.ts'
import { asText } from '../../../api/open-log/text.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { processes } from '../queries.ts'
import { readRequestLog } from './read-request.ts'

/** For those who have the token of its environment's logs alone. */
export const openProcessLogRoute: AddRoute = (application, services) =>
  addOpenLog(application, services, {
    of: 'environment',
    path: '/v1/environments/{id}/processes/log',
    tag: 'Environments',
    summary:
      'What one start of a task or service of an environment prints, as text, with the token of the environment’s logs',
    below: {},
    query: {
      process: idSchema.meta({ description: 'Id of the task or service' }),
      request: z.coerce
        .number()
        .int()
        .min(1)
        .max(largestInteger)
        .meta({ description: '`spec.request` when it was started' }),
    },
    find: async ({ id, process, request }) => {
      const row = await processes.readById(services.database, process)
      const own = found(row?.environment_id === id ? row : undefined, 'task or service', process)
      return (options) => asText(readRequestLog(services, own, request, options), null)
    },
  })
