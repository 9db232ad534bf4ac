import { deploymentNameSchema, deploymentSchema, promotionSchema, rollbackSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { writers } from '../../api/caller.ts'
import type { Command } from '../../api/command.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idOrNameParams } from '../../api/lookup.ts'
import type { AddRoute, OnOne } from '../../resource/routes.ts'
import { receiveArtifact, refuseOtherBody, uploadTypes } from '../artifact/index.ts'
import { spaces } from '../space/index.ts'
import { createDeployment } from './commands/create.ts'
import { promoteSpace } from './commands/promote.ts'
import { rollbackSpace } from './commands/rollback.ts'
import { type DeploymentRow, toDeployment } from './table.ts'

const tag = 'Deployments'
const answer = { status: 201, schema: deploymentSchema, description: 'The deployment, pending' } as const
const ofUpload = z.strictObject({
  displayName: deploymentNameSchema
    .regex(/^.{0,255}$/u, 'a line of at most 255 characters')
    .optional()
    .meta({ description: 'For people' }),
})

/** The body is read piece by piece, before the deployment is made in a transaction of its own. */
const deploy: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: '/v1/spaces/{id}/deployments',
    tag,
    summary:
      'Upload an app and deploy it to a space: a ZIP with a bentocloud.toml in its top folder, as application/zip or as the field file of a form. A deployment of the space that has not begun is cancelled by it',
    roles: writers,
    params: idOrNameParams,
    query: ofUpload,
    upload: uploadTypes,
    answer,
    handle: async ({ caller, context, params: { id }, query, perform }) => {
      refuseOtherBody(context.req.raw)
      // Nothing is taken in for a space that is not there.
      const space = found(await spaces.find(services.database, caller, id), 'space', id)
      const { artifact, fields } = await receiveArtifact(services, caller, context)
      const given = query.displayName ?? fields.get('displayName') ?? fields.get('display_name') ?? ''
      const displayName = deploymentNameSchema.catch('').parse(given)
      return perform(createDeployment, { space: space.id, artifactId: artifact.id, displayName }, (row) => ({
        status: 201,
        value: toDeployment(row),
      }))
    },
  })

function onSpace<Body extends z.ZodType>(
  name: string,
  summary: string,
  body: Body,
  command: Command<OnOne<z.output<Body>>, DeploymentRow>,
): AddRoute {
  return (application, services) =>
    addEndpoint(application, services, {
      method: 'post',
      path: `/v1/spaces/{id}/${name}`,
      tag,
      summary,
      roles: writers,
      params: idOrNameParams,
      body: body as z.ZodType,
      answer,
      handle: ({ params: { id }, body: given, perform }) =>
        perform(command, { reference: id, body: given as z.output<Body> }, (row) => ({
          status: 201,
          value: toDeployment(row),
        })),
    })
}

/** What is done to a space and makes a deployment. */
export const spaceRoutes: readonly AddRoute[] = [
  deploy,
  onSpace(
    'promote',
    'Deploy to production the very archive whose release the space uat has',
    promotionSchema,
    promoteSpace,
  ),
  onSpace(
    'rollback',
    'Go back to a release that the space had: the one before, unless a deployment is named',
    rollbackSchema,
    rollbackSpace,
  ),
]
