import { idSchema, prebuildKind } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { addOpenEndpoint, refusal } from '../../../api/open-endpoint.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { receiveWebhook, webhookAnswerSchema } from './receive.ts'

const json = (schema: z.ZodType) => ({ 'application/json': { schema } })

/** Open: the signature is what proves a request. */
export const webhookRoute: AddRoute = (application, services) =>
  addOpenEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/v1/webhooks/{projectId}',
      tags: [prebuildKind.tag],
      summary: 'Tell a project of a push, as GitHub, GitLab and Gitea do, signed with its webhook secret',
      request: {
        params: z.object({ projectId: idSchema }),
        body: { required: true, content: json(z.object({})) },
      },
      responses: {
        202: { description: 'What follows from it', content: json(webhookAnswerSchema) },
        400: refusal('It is no push as the server sends it'),
        401: refusal('No project takes pushes here with this signature'),
        413: refusal('Too large'),
      },
    },
    async (context) => {
      const body = Buffer.from(await context.req.arrayBuffer())
      const projectId = context.req.param('projectId') ?? ''
      return context.json(
        await receiveWebhook(services, projectId, (name) => context.req.header(name), body),
        202,
      )
    },
  )
