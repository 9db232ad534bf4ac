import type { Command, Failure, QuotaShortage, WarmPoolPhase } from '@hearth/contract'
import type { Generated, Selectable } from 'kysely'
import type { ResourceTable } from '../../database/resource-row.ts'

/** What a pool should be, as far as those who use it say. */
export interface PoolSpec {
  enabled: boolean
  min: number
  branch: string | null
  maxAgeMinutes: number | null
  setup: Command[]
}

/** Pools made before a field came lack it. */
type StoredPoolSpec = Omit<PoolSpec, 'branch' | 'maxAgeMinutes'> &
  Partial<Pick<PoolSpec, 'branch' | 'maxAgeMinutes'>>

/** Phase and counts are those last told in an event: readers count anew. */
export interface StoredWarmPoolStatus {
  ready: number
  provisioning: number
  failed: number
  claimed: number
  consecutiveFailures: number
  retryAt: string | null
  failure: Failure | null
  /** Pools made before it came lack it. */
  uncheckedBranch?: string | null
  /** Pools made before it came lack it. */
  quota?: QuotaShortage | null
  observedSpecVersion: number
}

export interface WarmPoolTable extends ResourceTable<StoredPoolSpec, StoredWarmPoolStatus> {
  project_id: string
  environment_class_id: string
  phase: WarmPoolPhase
  /** Emptied, to stay so until it is enabled again or changed. */
  cleared: Generated<boolean>
  /** Of what the pool makes now, as of the last reconcile: the boots in the status are those of it. */
  configuration: string | null
  /** Boots of machines made before do not count: since then the configuration changed, or somebody wants a new try. */
  boots_since: Date | null
}
export interface WarmPoolTables {
  warm_pools: WarmPoolTable
}
export type WarmPoolRow = Selectable<WarmPoolTable>

export const emptyPoolStatus: StoredWarmPoolStatus = {
  ready: 0,
  provisioning: 0,
  failed: 0,
  claimed: 0,
  consecutiveFailures: 0,
  retryAt: null,
  failure: null,
  observedSpecVersion: 0,
}

export function poolSpec({ spec }: Pick<WarmPoolRow, 'spec'>): PoolSpec {
  const { enabled, min, branch = null, maxAgeMinutes = null, setup } = spec
  return { enabled, min, branch, maxAgeMinutes, setup }
}
