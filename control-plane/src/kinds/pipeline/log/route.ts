import { pipelineKind as words } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { readers } from '../../../api/caller.ts'
import { addEndpoint } from '../../../api/endpoint.ts'
import { logAnswer, streamLog } from '../../../api/log-stream.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { pipelineParams } from '../program-routes.ts'
import { pipelines } from '../queries.ts'
import { readPipelineLog } from './read.ts'

export const pipelineLogRoute: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${words.path}/{id}/logs`,
    tag: words.tag,
    summary:
      'What the newest machine of a pipeline prints for it, as a stream; with follow=true also those after it, until it is at rest',
    roles: readers,
    params: pipelineParams,
    query: z.strictObject({ follow: z.enum(['true', 'false']).default('false') }),
    answer: logAnswer,
    handle: async ({ caller, params, query, context }) => {
      const row = await pipelines.get(services.database, caller, params.id)
      const follow = query.follow === 'true'
      return streamLog(services, { caller, context }, (signal) =>
        readPipelineLog(services, row, { follow, signal }),
      )
    },
  })
