import { deploymentNameSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Reply } from '../../api/perform.ts'
import type { Services } from '../../api/services.ts'
import { receiveArtifact, uploadTypes } from '../../kinds/artifact/index.ts'
import {
  createDeployment,
  type DeploymentRow,
  promoteSpace,
  rollbackSpace,
  toDeployment as toNative,
} from '../../kinds/deployment/index.ts'
import { konigleErrors } from './error.ts'
import { idOf, params } from './ids.ts'
import { jobIdOf, type Queryable } from './job-of.ts'
import { findSpace } from './spaces.ts'
import { deploymentSchema, toDeployment } from './translate-apps.ts'

const tag = 'Spaces'
/** Where bodies are read piece by piece. */
export const uploads = /\/spaces\/[^/]+\/(?:deploy|deployments)\/?$/
const displayName = deploymentNameSchema.nullish()
const promoteSchema = z.object({ display_name: displayName }).meta({ id: 'KoniglePromotion' })
const rollbackSchema = z
  .object({ deployment_id: params.shape.id.nullish(), display_name: displayName })
  .meta({ id: 'KonigleRollback' })

async function reply(row: DeploymentRow, tx: Queryable): Promise<Reply> {
  return { status: 201, value: toDeployment(toNative(row), await jobIdOf(tx, row)) }
}

const named = (given: string | null | undefined) => (given == null ? {} : { displayName: given })

export function addDeployRoutes(application: Application, services: Services): void {
  const answer = { status: 201, schema: deploymentSchema, description: 'The deployment and its job' } as const
  // Clients of both spellings were read of.
  for (const path of ['/spaces/{id}/deploy', '/spaces/{id}/deployments'])
    addEndpoint(
      application,
      services,
      {
        method: 'post',
        path,
        tag,
        summary:
          'Deploy a ZIP to a space: the field zip_file (or file) of a form, with display_name beside it',
        roles: writers,
        params,
        upload: uploadTypes,
        answer,
        handle: async ({ caller, context, params: { id }, perform }) => {
          const space = await findSpace(services, caller, id)
          const { artifact, fields } = await receiveArtifact(services, caller, context)
          const name = deploymentNameSchema.catch('').parse(fields.get('display_name') ?? '')
          return perform(
            createDeployment,
            { space: space.id, artifactId: artifact.id, displayName: name },
            reply,
          )
        },
      },
      konigleErrors,
    )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/spaces/{id}/promote',
      tag,
      summary: 'Deploy to production what the space uat has',
      roles: writers,
      params,
      body: promoteSchema,
      answer,
      handle: async ({ caller, params: { id }, body, perform }) => {
        const { id: reference } = await findSpace(services, caller, id)
        return perform(promoteSpace, { reference, body: named(body.display_name) }, reply)
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/spaces/{id}/rollback',
      tag,
      summary: 'Go back to a release that the space had: the one before, unless a deployment is named',
      roles: writers,
      params,
      body: rollbackSchema,
      answer,
      handle: async ({ caller, params: { id }, body, perform }) => {
        const { id: reference } = await findSpace(services, caller, id)
        const deploymentId =
          body.deployment_id == null ? undefined : (idOf(body.deployment_id) ?? body.deployment_id)
        const given = { ...named(body.display_name), ...(deploymentId === undefined ? {} : { deploymentId }) }
        return perform(rollbackSpace, { reference, body: given }, reply)
      },
    },
    konigleErrors,
  )
}
