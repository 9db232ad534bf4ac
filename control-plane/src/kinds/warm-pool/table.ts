import type { Command, Failure, WarmPool, WarmPoolPhase } from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

/** Counts are as of the last reconcile that saw them change. */
export interface StoredWarmPoolStatus {
  ready: number
  provisioning: number
  failed: number
  claimed: number
  consecutiveFailures: number
  retryAt: string | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface WarmPoolTable
  extends ResourceTable<{ enabled: boolean; min: number; setup: Command[] }, StoredWarmPoolStatus> {
  project_id: string
  environment_class_id: string
  phase: WarmPoolPhase
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

export function toWarmPool(row: WarmPoolRow): WarmPool {
  return {
    kind: 'WarmPool',
    metadata: metadataOf(row),
    spec: { projectId: row.project_id, environmentClassId: row.environment_class_id, ...row.spec },
    specVersion: row.spec_version,
    status: { phase: row.phase, ...row.status, deadline: null },
    statusVersion: row.status_version,
  }
}
