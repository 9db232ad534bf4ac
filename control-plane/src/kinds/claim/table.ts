import {
  type Claim,
  type ClaimBinding,
  type ClaimPhase,
  type Connection,
  claimBindingSchema,
  type Evidence,
  type Failure,
  type LifeOver,
  type LifeSpec,
  type LifeStatus,
  type LostMachine,
} from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'
import { bindingDeadline } from './binding/follow.ts'
import { type StoredBinding, toBindingStatus } from './binding/stored.ts'

export interface StoredClaimStatus {
  source: Claim['status']['source']
  boundAt: string | null
  failure: Failure | null
  /** Absent in rows of an older version, like the next field. */
  shortage?: Evidence | null
  lost?: LostMachine | null
  forkOf?: Claim['status']['forkOf']
  ended?: LifeOver | null
  /** Absent where nothing was to be bound. */
  binding?: StoredBinding
}

export interface StoredClaimSpec {
  fallback: 'cold' | 'refuse'
  /** Null where a certificate is only asked for later. */
  publicKey: string | null
  life?: LifeSpec
  /** The runner that its machine had to be on; absent where any did. */
  runnerId?: string
  /** Absent where nothing is to be bound. */
  binding?: ClaimBinding
}

export interface ClaimTable extends ResourceTable<StoredClaimSpec, StoredClaimStatus> {
  warm_pool_id: string
  environment_id: string | null
  phase: ClaimPhase
}
export interface ClaimTables {
  claims: ClaimTable
}
export type ClaimRow = Selectable<ClaimTable>

const nothingBound: ClaimBinding = claimBindingSchema.parse({})

/** `connection` is created for each answer and never stored; the life is that of its environment. */
export function toClaim(row: ClaimRow, connection: Connection | null, life: LifeStatus | null): Claim {
  const { binding: wanted, ...spec } = row.spec
  const { binding } = row.status
  const deadline = wanted === undefined || binding === undefined ? null : bindingDeadline(wanted, binding)
  return {
    kind: 'Claim',
    metadata: metadataOf(row),
    spec: { warmPoolId: row.warm_pool_id, ...spec, ...(wanted ?? nothingBound) },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      environmentId: row.environment_id,
      source: row.status.source,
      boundAt: row.status.boundAt,
      shortage: row.status.shortage ?? null,
      lost: row.status.lost ?? null,
      forkOf: row.status.forkOf ?? null,
      binding: binding === undefined ? null : toBindingStatus(binding),
      connection,
      life,
      ended: row.status.ended ?? null,
      observedSpecVersion: row.spec_version,
      failure: row.status.failure,
      deadline: deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
