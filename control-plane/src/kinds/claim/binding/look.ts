import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type EnvironmentRow, listedSteps } from '../../environment/index.ts'
import type { ClaimRow } from '../table.ts'
import { followBinding } from './follow.ts'
import type { StoredBinding } from './stored.ts'

/** How far the claim is bound now; null where nothing is to be bound. Both rows must have been read under lock. */
export async function lookAtBinding(
  tx: DatabaseTransaction,
  row: ClaimRow,
  environment: EnvironmentRow | undefined,
  now: Date,
): Promise<StoredBinding | null> {
  const { binding: wanted } = row.spec
  const { binding: stored } = row.status
  if (wanted === undefined || stored === undefined) return null
  if (row.phase === 'released' || environment === undefined) return { ...stored, since: null }
  const { phase, desired_phase, unreachable, paused } = environment
  const followed = followBinding({
    claimId: row.id,
    wanted,
    stored,
    reported: environment.status.binding ?? null,
    isRunning: phase === 'running' && desired_phase === 'running' && !unreachable && paused === null,
    runner: await runnerName(tx, environment.runner_id),
    now,
  })
  return { ...followed, steps: listedSteps(followed.steps) }
}

async function runnerName(tx: DatabaseTransaction, id: string | null): Promise<string | null> {
  if (id === null) return null
  const runner = await tx.selectFrom('runners').select('name').where('id', '=', id).executeTakeFirst()
  return runner?.name ?? null
}
