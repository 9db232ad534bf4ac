import type { SpacePhase } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { spaces } from './queries.ts'
import { type SpaceRow, type StoredSpaceStatus, toSpace } from './table.ts'

export interface SpaceChange {
  phase?: SpacePhase
  currentDeploymentId?: string | null
  routeId?: string | null
  status?: Partial<StoredSpaceStatus>
  now: Date
}

/** The only place that writes how a space stands: the row and its event. The row must have been read under lock. */
export async function changeSpaceStatus(
  tx: DatabaseTransaction,
  row: SpaceRow,
  { phase = row.phase, now, ...change }: SpaceChange,
): Promise<SpaceRow> {
  const { currentDeploymentId = row.current_deployment_id, routeId = row.route_id } = change
  const changed = await spaces.changeStatus(tx, row.id, {
    phase,
    current_deployment_id: currentDeploymentId,
    route_id: routeId,
    status: { ...row.status, observedSpecVersion: row.spec_version, ...change.status },
    ...(phase === row.phase ? {} : { phase_since: now }),
  })
  await recordEvent(tx, 'updated', toSpace(changed))
  return changed
}
