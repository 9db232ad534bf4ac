import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { lockSpaceForChange, lockSpacesOf } from '../../space/index.ts'
import { deployments } from '../queries.ts'
import type { DeploymentRow } from '../table.ts'
import { beginDeployment } from './create.ts'

/** Deploys to production the very archive whose release gets the requests of uat. */
export const promoteSpace: Command<OnOne<{ displayName?: string | undefined }>, DeploymentRow> = {
  async run(tx, context, { reference, body }) {
    const { row: uat } = await lockSpaceForChange(tx, context, reference)
    if (uat.type !== 'uat')
      throw new HearthError('conflict', `space ${uat.name} is ${uat.type}: what is promoted is the space uat`)
    const of =
      uat.current_deployment_id === null
        ? undefined
        : await deployments.readById(tx, uat.current_deployment_id)
    if (of === undefined)
      throw new HearthError(
        'conflict',
        `nothing is deployed in space ${uat.name}: deploy to it before it is promoted`,
      )
    const production = (await lockSpacesOf(tx, uat.web_app_id)).find(({ type }) => type === 'production')
    if (production === undefined) throw new Error(`web app ${uat.web_app_id} has no space production`)
    return beginDeployment(tx, context, production, {
      artifactId: of.artifact_id,
      displayName: body.displayName ?? of.spec.displayName,
      origin: 'promote',
      of,
      releaseId: null,
    })
  },
}
