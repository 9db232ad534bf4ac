import { HearthError } from '@hearth/foundation'
import type { Command, CommandContext } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { lockSpaceForChange, type SpaceRow } from '../../space/index.ts'
import { deployments, findRelease } from '../queries.ts'
import type { DeploymentRow } from '../table.ts'
import { beginDeployment } from './create.ts'

interface RollbackBody {
  deploymentId?: string | undefined
  displayName?: string | undefined
}

/** Goes back to a release that a space had: the one before, unless a deployment is named. */
export const rollbackSpace: Command<OnOne<RollbackBody>, DeploymentRow> = {
  async run(tx, context, { reference, body: { deploymentId, displayName } }) {
    const { row: space } = await lockSpaceForChange(tx, context, reference)
    const current =
      space.current_deployment_id === null
        ? undefined
        : await deployments.readById(tx, space.current_deployment_id)
    if (current === undefined)
      throw new HearthError('conflict', `nothing is deployed in space ${space.name}: there is no way back`)
    const of =
      deploymentId === undefined
        ? await releaseBefore(tx, space, current)
        : await named(tx, context, space, deploymentId)
    if (of.release_id === current.release_id)
      throw new HearthError(
        'conflict',
        `space ${space.name} has the release of deployment ${of.name} already`,
      )
    if (!space.status.releases.includes(of.release_id))
      throw new HearthError(
        'conflict',
        `the release of deployment ${of.name} is not kept any more: of a space the last ${space.status.releases.length} are`,
      )
    return beginDeployment(tx, context, space, {
      artifactId: of.artifact_id,
      displayName: displayName ?? of.spec.displayName,
      origin: 'rollback',
      of,
      releaseId: of.release_id,
    })
  },
}

async function releaseBefore(
  tx: DatabaseTransaction,
  space: SpaceRow,
  { release_id }: DeploymentRow,
): Promise<DeploymentRow> {
  const before = await findRelease(tx, space.id, release_id)
  if (before !== undefined) return before
  throw new HearthError('conflict', `space ${space.name} has no release before the present one`)
}

async function named(
  tx: DatabaseTransaction,
  { caller }: CommandContext,
  { id, name }: SpaceRow,
  deploymentId: string,
): Promise<DeploymentRow> {
  const row = await deployments.find(tx, caller, deploymentId)
  const own = found(row?.space_id === id ? row : undefined, 'deployment', deploymentId)
  if (own.phase === 'succeeded') return own
  throw new HearthError(
    'conflict',
    `deployment ${own.name} is ${own.phase}: space ${name} never had its release`,
  )
}
