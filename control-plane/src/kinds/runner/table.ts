import type { Runner, RunnerFacts, RunnerHealth, RunnerPhase } from '@hearth/contract'
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface StoredRunnerStatus {
  facts: RunnerFacts | null
  observedSpecVersion: number
  /** When its agent said that it stops; gone with the next heartbeat, or the lease. ISO 8601. */
  leftAt?: string | null
}

export interface RunnerTable extends ResourceTable<Runner['spec'], StoredRunnerStatus> {
  phase: RunnerPhase
  epoch: Generated<number>
  last_seen_at: Date | null
  health: JSONColumnType<RunnerHealth> | null
  deleted_at: ColumnType<Date | null, never, Date>
  /** Of the last credentials for NATS that were signed; `infinity` reads as a number. */
  credentials_end_at: ColumnType<Date | number | null, never, never>
  /** The kinds of work that its agent said it knows; null until it has said so. */
  work_kinds: ColumnType<string[] | null, never, string>
}
export interface RunnerTables {
  runners: RunnerTable
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
      health: row.health,
      observedSpecVersion: row.status.observedSpecVersion,
      failure: null,
      deadline: null,
    },
    statusVersion: row.status_version,
  }
}
