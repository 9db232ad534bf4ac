import {
  type Failure,
  isPrebuildEnded,
  mayMovePrebuild,
  type PrebuildPhase,
  prebuildPhaseTable,
} from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { type Wake, wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { prebuilds } from './queries.ts'
import { type PrebuildRow, type StoredPrebuildStatus, toPrebuild } from './table.ts'

export interface PrebuildMove {
  phase: PrebuildPhase
  failure?: Failure
  status?: Partial<StoredPrebuildStatus>
  columns?: Partial<Pick<PrebuildRow, 'environment_id' | 'snapshot_id' | 'based_on_id' | 'configuration'>>
  now: Date
}

/** The only place that writes a phase, with its event and its deadline. The row must have been read under lock. */
export async function movePrebuild(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  { phase, failure, status, columns, now }: PrebuildMove,
): Promise<PrebuildRow> {
  if (!mayMovePrebuild(row.phase, phase))
    throw new Error(`prebuild ${row.id} may not move from ${row.phase} to ${phase}`)
  const started_at = phase === 'starting' ? now : row.started_at
  const changed = await prebuilds.changeStatus(tx, row.id, {
    ...columns,
    phase,
    phase_since: now,
    started_at,
    ended_at: isPrebuildEnded(phase) ? now : row.ended_at,
    deadline: deadlineOf(phase, row.spec.timeoutSeconds, started_at, now),
    status: {
      ...row.status,
      ...status,
      failure: failure ?? row.status.failure,
      observedSpecVersion: row.spec_version,
    },
  })
  await recordEvent(tx, phase === 'deleted' ? 'deleted' : 'updated', toPrebuild(changed, null))
  await wakeMany(tx, [{ kind: 'prebuild', id: row.id }, ...(await followers(tx, changed))])
  return changed
}

/** When the phase ends unless it has moved on: by the prebuild's own timeout, or by the phase's. */
export function deadlineOf(
  phase: PrebuildPhase,
  timeoutSeconds: number,
  startedAt: Date | null,
  now: Date,
): Date | null {
  const { wait, isTimed } = prebuildPhaseTable[phase]
  if (isTimed) return new Date((startedAt ?? now).getTime() + timeoutSeconds * 1000)
  if (wait.waitsFor === null || wait.deadlineSeconds === null) return null
  return new Date(now.getTime() + wait.deadlineSeconds * 1000)
}

/** Those whose turn comes with the end of this one, and those that machines start from until or instead of it. */
async function followers(tx: DatabaseTransaction, row: PrebuildRow): Promise<Wake[]> {
  const ended = isPrebuildEnded(row.phase) || row.phase === 'deleting'
  return ended ? wakesOfOthers(tx, row, ['pending', 'completed']) : []
}

/** Wakes for other prebuilds of the same project and class. */
export async function wakesOfOthers(
  tx: DatabaseTransaction,
  row: Pick<PrebuildRow, 'id' | 'project_id' | 'environment_class_id'>,
  phases: readonly PrebuildPhase[],
): Promise<Wake[]> {
  const others = await tx
    .selectFrom('prebuilds')
    .select('id')
    .where('project_id', '=', row.project_id)
    .where('environment_class_id', '=', row.environment_class_id)
    .where('phase', 'in', phases)
    .where('id', '<>', row.id)
    .execute()
  return others.map(({ id }) => ({ kind: 'prebuild', id }))
}
