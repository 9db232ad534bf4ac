import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { clearPipeline, dismissPipelineError } from '../../kinds/pipeline/index.ts'
import { felderaErrors } from './error.ts'
import { findPipeline, nameParams } from './names.ts'

const tag = 'Pipelines'

/** What is asked of a pipeline, answered with a sentence. */
export function addRequestRoutes(application: Application, services: Services): void {
  const common = { method: 'post', tag, roles: writers, params: nameParams } as const
  addEndpoint(
    application,
    services,
    {
      ...common,
      path: '/pipelines/{pipeline_name}/clear',
      summary: 'Remove what a pipeline has stored',
      answer: { status: 202, schema: z.string(), description: 'It is being done' },
      handle: async ({ caller, params, perform }) => {
        const { id: reference } = await findPipeline(services, caller, params.pipeline_name)
        return perform(clearPipeline, { reference, body: undefined }, () => ({
          status: 202,
          value: 'Pipeline storage is being cleared',
        }))
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...common,
      path: '/pipelines/{pipeline_name}/dismiss_error',
      summary: 'Forget the error with which a pipeline stopped',
      answer: { status: 200, schema: z.string(), description: 'There is none any more' },
      handle: async ({ caller, params, perform }) => {
        const { id: reference } = await findPipeline(services, caller, params.pipeline_name)
        return perform(dismissPipelineError, { reference, body: undefined }, () => ({
          status: 200,
          value: 'Pipeline deployment error has been dismissed',
        }))
      },
    },
    felderaErrors,
  )
}
