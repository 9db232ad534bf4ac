import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { sendText } from '../../api/open-log/send.ts'
import { asText } from '../../api/open-log/text.ts'
import type { Services } from '../../api/services.ts'
import { readPipelineLog } from '../../kinds/pipeline/index.ts'
import { felderaErrors } from './error.ts'
import { findPipeline, nameParams } from './names.ts'

/** What a pipeline prints: what there is of it, then what comes. */
export function addLogRoutes(application: Application, services: Services): void {
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/pipelines/{pipeline_name}/logs',
      tag: 'Pipelines',
      summary: 'What a pipeline prints, as text, until it is at rest',
      roles: readers,
      params: nameParams,
      answer: { status: 200, schema: z.string(), description: 'Its output', mediaType: 'text/plain' },
      handle: async ({ caller, context, params }) => {
        const row = await findPipeline(services, caller, params.pipeline_name)
        const open = services.streams.open(caller)
        return sendText(services, context, open.tokenEnded, async function* text(signal) {
          using _slot = open
          yield* asText(readPipelineLog(services, row, { follow: true, signal }), null)
        })
      },
    },
    felderaErrors,
  )
}
