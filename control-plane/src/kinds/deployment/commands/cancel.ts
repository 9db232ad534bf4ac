import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { lockSpaceForChange } from '../../space/index.ts'
import { deployments } from '../queries.ts'
import { type DeploymentRow, toDeployment } from '../table.ts'

/** Gives up a deployment that is on its way: the release before goes on. */
export const cancelDeployment: Command<OnOne, DeploymentRow> = {
  async run(tx, context, { reference }) {
    const { id, space_id } = found(
      await deployments.find(tx, context.caller, reference),
      'deployment',
      reference,
    )
    await lockSpaceForChange(tx, { ...context, expectedVersion: null }, space_id)
    const row = found(await deployments.lockById(tx, id), 'deployment', reference)
    requireVersion(context.expectedVersion, row.spec_version)
    if (row.finished_at !== null || row.spec.desired === 'cancel') return row
    if (row.phase === 'switching')
      throw new HearthError(
        'conflict',
        `requests are led to deployment ${row.name} at this moment: roll it back when that is done`,
      )
    const changed = await deployments.changeSpec(tx, id, { spec: { ...row.spec, desired: 'cancel' } })
    await recordEvent(tx, 'updated', toDeployment(changed))
    await wake(tx, 'web-app', row.environment_id)
    return changed
  },
}
