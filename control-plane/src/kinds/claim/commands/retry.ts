import { environmentWork } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { environments, lifeShown, retryEnvironment } from '../../environment/index.ts'
import { pendingBinding } from '../binding/stored.ts'
import { toListedClaim } from '../listed.ts'
import { claims } from '../queries.ts'
import type { ClaimRow } from '../table.ts'

/**
 * Retries a claim that failed: binds its machine once more, or has the machine itself tried again. Anything else is
 * ordered again and looked at at once. Safe to repeat.
 */
export const retryClaim: Command<OnOne, ClaimRow> = {
  async run(tx, context, { reference }) {
    const own = await claims.get(tx, context.caller, reference)
    requireVersion(context.expectedVersion, own.spec_version)
    if (own.phase === 'released' || own.environment_id === null)
      throw new HearthError('conflict', `claim ${own.name} is released: make another`)
    // Locks the environment before its claim, in the same order as the reconciler.
    const environment = await environments.lockById(tx, own.environment_id)
    const row = found(await claims.lockById(tx, own.id), 'claim', reference)
    if (
      environment === undefined ||
      environment.claim_id !== row.id ||
      environment.desired_phase === 'deleted'
    )
      throw new HearthError('conflict', `claim ${row.name} is being released: make another`)
    const { binding } = row.spec
    const stored = row.status.binding ?? null
    const isUnbound = row.phase === 'failed' && stored?.phase === 'failed' && binding !== undefined
    await wake(tx, 'claim', row.id)
    if (environment.phase === 'failed') {
      const ofEnvironment = { ...context, expectedVersion: null }
      await retryEnvironment.run(tx, ofEnvironment, { reference: environment.id, body: {} }, undefined)
    } else if (environment.runner_id !== null) {
      await requestOrders(tx, environmentWork.kind, [{ id: environment.id, runnerId: environment.runner_id }])
    }
    if (!isUnbound) return row
    const changed = await claims.changeStatus(tx, row.id, {
      phase: 'pending',
      status: { ...row.status, failure: null, binding: pendingBinding(binding, stored.attempt + 1, null) },
    })
    await recordEvent(tx, 'updated', toListedClaim(changed, lifeShown(environment)))
    return changed
  },
}
