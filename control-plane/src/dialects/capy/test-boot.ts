import { warmPoolTestCreateSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { testWarmPool } from '../../kinds/warm-pool/index.ts'
import { capyErrors } from './error.ts'
import { projectParams } from './pool.ts'

const startedSchema = z
  .object({
    id: z.string(),
    instanceId: z.string().meta({ description: 'The same: its clients read either' }),
    status: z.literal('provisioning'),
  })
  .meta({ id: 'CapyTest' })

export function addTestRoute(application: Application, services: Services): void {
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/projects/{projectId}/warm-pool/test',
      tag: 'Warm pool',
      summary: 'Try the steps on an instance outside the pool; poll .../instances/{id} for what comes of it',
      roles: writers,
      params: projectParams,
      body: z.strictObject({}),
      answer: { status: 200, schema: startedSchema, description: 'The test has begun' },
      handle: async ({ params, perform }) => {
        const wanted = { reference: { project: params.projectId }, body: warmPoolTestCreateSchema.parse({}) }
        return perform(testWarmPool, wanted, ({ test: { id } }) => ({
          status: 200,
          value: { id, instanceId: id, status: 'provisioning' },
        }))
      },
    },
    capyErrors,
  )
}
