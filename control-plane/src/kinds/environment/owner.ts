import type { EnvironmentSpec } from '@hearth/contract'

/** The values of the column `owner_kind`: what may own an environment. */
export type OwnerKind = 'warm-pool' | 'warm-pool-test' | 'warm-pool-inspection' | 'prebuild' | 'pipeline'

export interface EnvironmentOwner {
  kind: OwnerKind
  id: string
}

/** The two columns that say whose an environment is: both null for one that somebody asked for by itself. */
export interface OwnerColumns {
  owner_kind: OwnerKind | null
  owner_id: string | null
}

/** The owner as shown over HTTP and in events. */
export function toOwnerSpec(
  row: OwnerColumns & { keep_seconds: number | null },
): Pick<EnvironmentSpec, 'warmPoolId' | 'test' | 'inspection' | 'prebuildId'> {
  const { owner_kind, owner_id } = row
  const kept = owner_id === null ? null : { warmPoolId: owner_id, keepSeconds: row.keep_seconds ?? 0 }
  return {
    warmPoolId: owner_kind === 'warm-pool' ? owner_id : null,
    test: owner_kind === 'warm-pool-test' ? kept : null,
    inspection: owner_kind === 'warm-pool-inspection' ? kept : null,
    prebuildId: owner_kind === 'prebuild' ? owner_id : null,
  }
}
