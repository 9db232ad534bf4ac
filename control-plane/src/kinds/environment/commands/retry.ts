import { environmentWork } from '@hearth/contract'
import { assertNever, HearthError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { beginJob } from '../../job/index.ts'
import { requireRoomToStart } from '../../quota/index.ts'
import { refusePastLife } from '../life/change.ts'
import { movePhase } from '../lifecycle/phase.ts'
import { accountsOf } from '../placing/accounts.ts'
import { environments } from '../queries.ts'
import { type EnvironmentRow, environmentColumns, type StoredEnvironmentStatus } from '../table.ts'

/**
 * Retries an environment in any phase; safe to repeat. A failed one gets a new generation: it is made anew if it was
 * never ready, and else started again. In any other phase the order is sent again and the environment reconciled at
 * once.
 */
export const retryEnvironment: Command<OnOne, EnvironmentRow> = {
  async run(tx, context, { reference }) {
    const row = await environments.lockForChange(tx, context, reference)
    const now = context.services.clock.now()
    if (row.phase === 'deleted')
      throw new HearthError('conflict', `environment ${row.name} is deleted: make another`)
    if (row.phase !== 'failed' || row.desired_phase === 'deleted') {
      if (row.runner_id !== null)
        await requestOrders(tx, environmentWork.kind, [{ id: row.id, runnerId: row.runner_id }])
      await wake(tx, 'environment', row.id)
      return row
    }
    refusePastLife(row, now)
    // A failed environment uses no CPU quota; all other quotas count it already.
    await requireRoomToStart(tx, accountsOf(row, context.caller.limits))
    const runnerId = await heldBy(tx, row)
    const raised = await tx
      .updateTable('environments')
      .set({ spec_version: sql`spec_version + 1`, desired_phase: 'running' })
      .where('id', '=', row.id)
      .returning(environmentColumns)
      .executeTakeFirstOrThrow()
    const subject = {
      organizationId: row.organization_id,
      operation: 'environment.provision' as const,
      id: row.id,
    }
    const entry = { time: now.toISOString(), level: 'info' as const, message: 'trying once more' }
    await beginJob(tx, { ...subject, kind: 'Environment' }, entry)
    const phase = runnerId === null ? 'pending' : row.status.readyAt === null ? 'provisioning' : 'starting'
    const tried = await movePhase(tx, raised, { phase, runnerId, status: cleared(raised, runnerId), now })
    if (runnerId !== null) await requestOrders(tx, environmentWork.kind, [{ id: row.id, runnerId }])
    return tried
  },
}

/**
 * The environment's runner; null when that is removed, or is silent and the environment was never ready: then it is
 * made anew elsewhere.
 */
async function heldBy(tx: DatabaseTransaction, row: EnvironmentRow): Promise<string | null> {
  if (row.runner_id === null) return null
  const runner = await tx
    .selectFrom('runners')
    .select('phase')
    .where('id', '=', row.runner_id)
    .executeTakeFirst()
  if (runner === undefined) return null
  switch (runner.phase) {
    case 'active':
    case 'degraded':
    case 'draining':
      return row.runner_id
    case 'offline':
      // An environment that was ready may hold someone's work: it waits for its host.
      return row.status.readyAt === null ? null : row.runner_id
    case 'created':
    case 'deleted':
      return null
    default:
      return assertNever(runner.phase)
  }
}

function cleared({ status, spec_version }: EnvironmentRow, runnerId: string | null): StoredEnvironmentStatus {
  const fresh = { ...status, failure: null, failedAt: null, identity: null, leastGeneration: spec_version }
  const isKept = status.readyAt !== null && runnerId !== null
  return isKept ? fresh : { ...fresh, steps: [], address: null, readyAt: null, binding: null }
}
