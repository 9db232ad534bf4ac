import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { recordEvent } from '../event/index.ts'
import { type ClaimAction, decide } from './decide.ts'
import { lockClaim, updateClaimStatus } from './queries.ts'
import { type ClaimRow, toClaim } from './table.ts'

export const claimReconciler: Reconciler = {
  kind: 'claim',
  async reconcile(id, { tx, clock }) {
    const row = await lockClaim(tx, id)
    if (row === undefined) return null
    const environment =
      row.environment_id === null
        ? undefined
        : await tx
            .selectFrom('environments')
            .select(['phase', 'status'])
            .where('id', '=', row.environment_id)
            .executeTakeFirst()
    const action = decide({
      phase: row.phase,
      environment:
        environment === undefined ? null : { phase: environment.phase, failure: environment.status.failure },
    })
    if (action !== null) await carryOut(tx, row, action, clock.now())
    return null
  },
}

async function carryOut(
  tx: DatabaseTransaction,
  row: ClaimRow,
  action: ClaimAction,
  now: Date,
): Promise<void> {
  const changed = await updateClaimStatus(tx, row.id, changeOf(row, action, now))
  await recordEvent(tx, action.do === 'release' ? 'deleted' : 'updated', toClaim(changed, null))
}

function changeOf(row: ClaimRow, action: ClaimAction, now: Date): Pick<ClaimRow, 'phase' | 'status'> {
  switch (action.do) {
    case 'bind':
      return { phase: 'bound', status: { ...row.status, boundAt: now.toISOString(), failure: null } }
    case 'fail':
      return { phase: 'failed', status: { ...row.status, failure: action.failure } }
    case 'release':
      return { phase: 'released', status: row.status }
    default:
      return assertNever(action)
  }
}
