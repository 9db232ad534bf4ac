import {
  bootAttempts,
  type Command,
  type Failure,
  type LifeSpec,
  type PoolRest,
  type PoolScaling,
  type PoolSchedule,
  type QuotaShortage,
  type WarmPool,
  type WarmPoolPhase,
} from '@hearth/contract'
import type { Generated, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'
import { poolPhase } from './phase.ts'
import type { Demand } from './scale/demand.ts'
import type { ScaleState } from './scale/scale.ts'

/** What a pool should be, as far as those who use it say. */
export interface PoolSpec {
  enabled: boolean
  min: number
  max: number | null
  running: number | null
  rest: PoolRest
  wantedShare: number
  schedules: PoolSchedule[]
  branch: string | null
  maxAgeMinutes: number | null
  setup: Command[]
  life: LifeSpec
}

/** What came later is absent in pools made before. */
type StoredPoolSpec = Partial<PoolSpec> & Pick<PoolSpec, 'enabled' | 'min' | 'setup'>

/** The phase and counts of the last event; reads count anew. */
export interface StoredWarmPoolStatus {
  ready: number
  provisioning: number
  failed: number
  claimed: number
  /** Pools made before tiers came lack these. */
  suspended?: number
  stopped?: number
  resumable?: number
  desiredSize?: number
  scaling?: PoolScaling | null
  /** Until when members that need not run are left running, since one could not be suspended. */
  restsAgainAt?: string | null
  consecutiveFailures: number
  retryAt: string | null
  failure: Failure | null
  /** Absent in pools created before this field existed. */
  uncheckedBranch?: string | null
  /** Pools made before it came lack it. */
  quota?: QuotaShortage | null
  lack?: string | null
  observedSpecVersion: number
}

/** What a pool remembers that follows its claims. */
export interface StoredScaling extends ScaleState {
  demand: Demand
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
  scaling: JSONColumnType<StoredScaling | null, string | null | undefined, string | null>
}
/** Claims that a pool could not meet, counted by spans of time. */
export interface RefusalTable {
  warm_pool_id: string
  span: Date
  claims: number
}
export interface WarmPoolTables {
  warm_pools: WarmPoolTable
  warm_pool_refusals: RefusalTable
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
  const { enabled, min, max = null, running = null, rest = 'suspended', wantedShare = 0.99 } = spec
  const { schedules = [], branch = null, maxAgeMinutes = null, setup, life = {} } = spec
  const tiers = { min, max, running, rest, wantedShare, schedules }
  return { enabled, ...tiers, branch, maxAgeMinutes, setup, life }
}

/** What a pool's resource shows beyond its row. */
export interface PoolFacts {
  /** Fingerprint of what the pool makes now; null for one that is gone. */
  configuration: string | null
  projectDeleting: boolean
  ready: number
  /** Those of the ready that are made from what the pool now says. */
  readyAndCurrent: number
  provisioning: number
  failed: number
  claimed: number
  suspended: number
  stopped: number
  /** Those at rest that are made from what the pool now says. */
  restingAndCurrent: number
}

export function toWarmPool(row: WarmPoolRow, facts: PoolFacts): WarmPool {
  const spec = poolSpec(row)
  const { ready, readyAndCurrent, provisioning, failed, claimed, suspended, stopped, restingAndCurrent } =
    facts
  const { resumable = 0, scaling = null } = row.status
  // What was reckoned from an earlier spec says nothing of this one.
  const isReckoned = row.status.observedSpecVersion === row.spec_version
  const desiredSize = isReckoned ? (row.status.desiredSize ?? spec.min) : spec.min
  // The known boots are of the configuration that the last reconcile saw.
  const { consecutiveFailures, retryAt, failure } =
    facts.configuration === row.configuration
      ? row.status
      : { consecutiveFailures: 0, retryAt: null, failure: null }
  return {
    kind: 'WarmPool',
    metadata: metadataOf(row),
    spec: { projectId: row.project_id, environmentClassId: row.environment_class_id, ...spec },
    specVersion: row.spec_version,
    status: {
      phase: poolPhase({
        enabled: spec.enabled,
        wanted: desiredSize,
        cleared: row.cleared,
        deleting: row.phase === 'deleting' || facts.projectDeleting,
        present: readyAndCurrent + restingAndCurrent + resumable,
        stopped: consecutiveFailures >= bootAttempts,
      }),
      ready,
      provisioning,
      failed,
      claimed,
      suspended,
      stopped,
      resumable,
      desiredSize,
      scaling,
      consecutiveFailures,
      retryAt,
      failure,
      uncheckedBranch: row.status.uncheckedBranch ?? null,
      quota: row.status.quota ?? null,
      lack: row.status.lack ?? null,
      observedSpecVersion: row.status.observedSpecVersion,
      deadline: null,
    },
    statusVersion: row.status_version,
  }
}

/** The status of a deleted pool. */
export const noFacts: PoolFacts = {
  configuration: null,
  projectDeleting: false,
  ready: 0,
  readyAndCurrent: 0,
  provisioning: 0,
  failed: 0,
  claimed: 0,
  suspended: 0,
  stopped: 0,
  restingAndCurrent: 0,
}
