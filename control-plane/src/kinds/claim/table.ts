import type {
  Claim,
  ClaimPhase,
  Connection,
  Evidence,
  Failure,
  LifeOver,
  LifeSpec,
  LifeStatus,
  LostMachine,
} from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface StoredClaimStatus {
  source: Claim['status']['source']
  boundAt: string | null
  failure: Failure | null
  /** Absent in rows of an older version, like the next field. */
  shortage?: Evidence | null
  lost?: LostMachine | null
  forkOf?: Claim['status']['forkOf']
  ended?: LifeOver | null
}

export interface ClaimTable
  extends ResourceTable<
    { fallback: 'cold' | 'refuse'; publicKey: string; life?: LifeSpec },
    StoredClaimStatus
  > {
  warm_pool_id: string
  environment_id: string | null
  phase: ClaimPhase
}
export interface ClaimTables {
  claims: ClaimTable
}
export type ClaimRow = Selectable<ClaimTable>

/** `connection` is created for each answer and never stored; the life is that of its environment. */
export function toClaim(row: ClaimRow, connection: Connection | null, life: LifeStatus | null): Claim {
  return {
    kind: 'Claim',
    metadata: metadataOf(row),
    spec: { warmPoolId: row.warm_pool_id, ...row.spec },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      environmentId: row.environment_id,
      source: row.status.source,
      boundAt: row.status.boundAt,
      shortage: row.status.shortage ?? null,
      lost: row.status.lost ?? null,
      forkOf: row.status.forkOf ?? null,
      connection,
      life,
      ended: row.status.ended ?? null,
      observedSpecVersion: row.spec_version,
      failure: row.status.failure,
      deadline: null,
    },
    statusVersion: row.status_version,
  }
}
