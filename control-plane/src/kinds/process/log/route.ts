import { type KindDefinition, largestInteger, timeSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { readers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { logAnswer, streamLog } from '../../../api/log-stream.ts'
import { found, idOrSharedNameParams } from '../../../api/lookup.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { processQueries } from '../queries.ts'
import type { ProcessKind } from '../table.ts'
import { readProcessLog } from './read.ts'

const querySchema = z.strictObject({
  run: z.coerce
    .number()
    .int()
    .min(1)
    .max(largestInteger)
    .optional()
    .meta({ description: 'Of this run; by default of all' }),
  since: timeSchema.optional().meta({ description: 'Only what came from then on' }),
  follow: z.enum(['true', 'false']).default('false'),
})

export function logRoute(kind: ProcessKind, words: KindDefinition): AddRoute {
  return (application, services) =>
    addEndpoint(application, services, {
      method: 'get',
      path: `${words.path}/{id}/logs`,
      tag: words.tag,
      summary: `What a ${kind} prints, as a stream; with follow=true until it is at rest`,
      roles: readers,
      params: idOrSharedNameParams,
      query: querySchema,
      answer: logAnswer,
      handle: async ({ caller, params, query, context }) => {
        const row = found(
          await processQueries[kind].find(services.database, caller, params.id),
          kind,
          params.id,
        )
        const options = {
          ...(query.run === undefined ? {} : { run: query.run }),
          ...(query.since === undefined ? {} : { since: new Date(query.since) }),
          follow: query.follow === 'true',
        }
        return streamLog(services, { caller, context }, (signal) =>
          readProcessLog(services, row, { ...options, signal }),
        )
      },
    })
}
