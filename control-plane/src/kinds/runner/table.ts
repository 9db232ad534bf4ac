import type { Runner, RunnerFacts, RunnerPhase } from '@hearth/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface RunnerTable
  extends ResourceTable<Runner['spec'], { facts: RunnerFacts | null; observedSpecVersion: number }> {
  phase: RunnerPhase
  epoch: Generated<number>
  last_seen_at: Date | null
  deleted_at: ColumnType<Date | null, never, Date>
}
export type RunnerRow = Selectable<RunnerTable>

/** `environments`: how many are placed on it and not deleted. */
export function toRunner(row: RunnerRow, environments: number): Runner {
  return {
    kind: 'Runner',
    metadata: metadataOf(row),
    spec: row.spec,
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      epoch: row.epoch,
      lastSeenAt: row.last_seen_at?.toISOString() ?? null,
      facts: row.status.facts,
      environments,
      observedSpecVersion: row.status.observedSpecVersion,
      failure: null,
      deadline: null,
    },
    statusVersion: row.status_version,
  }
}
