import { errorBodySchema, idSchema, prebuildKind } from '@hearth/contract'
import { createRoute, z } from '@hono/zod-openapi'
import { limitedBody } from '../../../api/limited-body.ts'
import type { AddRoute } from '../../../resource/routes.ts'
import { receiveWebhook, webhookAnswerSchema } from './receive.ts'

const json = (schema: z.ZodType) => ({ 'application/json': { schema } })

/** Open: the signature is what proves a request. */
export const webhookRoute: AddRoute = (application, services) => {
  const route = createRoute({
    method: 'post',
    path: '/v1/webhooks/{projectId}',
    tags: [prebuildKind.tag],
    summary: 'Tell a project of a push, as GitHub, GitLab and Gitea do, signed with its webhook secret',
    security: [],
    request: {
      params: z.object({ projectId: idSchema }),
      body: { required: true, content: json(z.object({})) },
    },
    responses: {
      202: { description: 'What follows from it', content: json(webhookAnswerSchema) },
      400: { description: 'It is no push as the server sends it', content: json(errorBodySchema) },
      401: {
        description: 'No project takes pushes here with this signature',
        content: json(errorBodySchema),
      },
      413: { description: 'Too large', content: json(errorBodySchema) },
    },
  })
  application.openAPIRegistry.registerPath(route)
  application.post(route.getRoutingPath(), limitedBody, async (context) => {
    const body = Buffer.from(await context.req.arrayBuffer())
    const projectId = context.req.param('projectId') ?? ''
    return context.json(
      await receiveWebhook(services, projectId, (name) => context.req.header(name), body),
      202,
    )
  })
}
