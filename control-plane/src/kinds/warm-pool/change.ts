import type { Command } from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import { type DatabaseTransaction, isUniqueViolation } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import type { ProjectRow } from '../project/index.ts'
import { insertWarmPool, updateWarmPoolSpec } from './queries.ts'
import { toWarmPool, type WarmPoolRow } from './table.ts'

export async function createWarmPool(
  tx: DatabaseTransaction,
  created: {
    project: ProjectRow
    environmentClass: { id: string; name: string }
    creator: string
    labels: Record<string, string>
    spec: { enabled: boolean; min: number; setup: Command[] }
  },
): Promise<WarmPoolRow> {
  const { project, environmentClass } = created
  if (project.phase === 'deleting')
    throw new HearthError('conflict', `project ${project.name} is being deleted`)
  const row = await insertWarmPool(tx, created).catch((error: unknown) => {
    if (isUniqueViolation(error)) {
      throw new HearthError(
        'conflict',
        `project ${project.name} has a pool of class ${environmentClass.name} already`,
      )
    }
    throw error
  })
  await recordEvent(tx, 'created', toWarmPool(row))
  await wake(tx, 'warm-pool', row.id)
  return row
}

/** Writes what differs; null when nothing does. The row must have been read under lock. */
export async function changeWarmPool(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  change: {
    labels?: Record<string, string> | undefined
    spec: { enabled?: boolean | undefined; min?: number | undefined; setup?: Command[] | undefined }
  },
): Promise<WarmPoolRow | null> {
  if (row.phase === 'deleting') throw new HearthError('conflict', `pool ${row.name} is being deleted`)
  const spec = {
    enabled: change.spec.enabled ?? row.spec.enabled,
    min: change.spec.min ?? row.spec.min,
    setup: change.spec.setup ?? row.spec.setup,
  }
  const labels = change.labels ?? row.labels
  if (canonicalJson({ spec, labels }) === canonicalJson({ spec: row.spec, labels: row.labels })) return null
  const changed = await updateWarmPoolSpec(tx, row.id, { labels, spec, phase: row.phase })
  await recordEvent(tx, 'updated', toWarmPool(changed))
  await wake(tx, 'warm-pool', row.id)
  return changed
}

/** Has the pool go, and its unclaimed machines with it; claimed ones stay their claims'. */
export async function removeWarmPool(tx: DatabaseTransaction, row: WarmPoolRow): Promise<WarmPoolRow> {
  await wake(tx, 'warm-pool', row.id)
  if (row.phase === 'deleting') return row
  const going = await updateWarmPoolSpec(tx, row.id, { ...row, phase: 'deleting' })
  await recordEvent(tx, 'updated', toWarmPool(going))
  return going
}
