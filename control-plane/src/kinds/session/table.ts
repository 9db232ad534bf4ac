import type { CiLimits, Failure, Session, SessionPhase, SessionTarget } from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface StoredSessionSpec {
  file: string
  exitCondition: Session['spec']['exitCondition']
  ci: CiLimits | null
  detached: boolean
}

export interface StoredSessionStatus {
  processId: number | null
  startedAt: string
  /** What its caller has reported, under their own names. */
  reported: readonly SessionTarget[]
  /** All targets as of the last look. */
  targets: readonly SessionTarget[]
  done: boolean
  error: string | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface SessionTable extends ResourceTable<StoredSessionSpec, StoredSessionStatus> {
  project_id: string | null
  environment_id: string | null
  claim_id: string | null
  phase: SessionPhase
  desired: 'open' | 'ended'
  phase_since: Date
  lease_ends_at: Date | null
  revision: string
}
/** One row for each organization: the number of the last change of its sessions. */
export interface SessionRevisionTable {
  organization_id: string
  revision: string
}
export interface SessionTables {
  sessions: SessionTable
  session_revisions: SessionRevisionTable
}
export type SessionRow = Selectable<SessionTable>

export function toSession(row: SessionRow): Session {
  const { spec, status } = row
  return {
    kind: 'Session',
    metadata: metadataOf(row),
    spec: {
      desired: row.desired,
      ...spec,
      projectId: row.project_id,
      environmentId: row.environment_id,
      claimId: row.claim_id,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      processId: status.processId,
      startedAt: status.startedAt,
      leaseEndsAt: row.lease_ends_at?.toISOString() ?? null,
      targets: [...status.targets],
      done: status.done,
      error: status.error,
      revision: Number(row.revision),
      observedSpecVersion: status.observedSpecVersion,
      failure: status.failure,
      deadline: deadlineOf(row)?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}

/** When it ends at the latest, unless its caller renews it before then. */
function deadlineOf({ phase, lease_ends_at, spec, status }: SessionRow): Date | null {
  if (phase === 'ended') return null
  const seconds = spec.ci?.timeoutSeconds ?? null
  const timeout = seconds === null ? null : new Date(Date.parse(status.startedAt) + seconds * 1_000)
  if (lease_ends_at === null || timeout === null) return lease_ends_at ?? timeout
  return lease_ends_at < timeout ? lease_ends_at : timeout
}
