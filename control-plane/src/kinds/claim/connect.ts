import type { Connection } from '@hearth/contract'
import type { Services } from '../../api/services.ts'
import type { Queryable } from '../../database/connection.ts'
import { connectionTo, environments } from '../environment/index.ts'
import type { ClaimRow } from './table.ts'

/** A new certificate, by default for the key that claimed; null while there is nothing to connect to, or no key. */
export async function connect(
  { authorities, clock }: Pick<Services, 'authorities' | 'clock'>,
  queryable: Queryable,
  row: ClaimRow,
  principalId: string,
  publicKey: string | null = row.spec.publicKey,
): Promise<Connection | null> {
  // A machine that could not be bound is left for a look.
  const isEntered =
    row.phase === 'bound' || (row.phase === 'failed' && row.status.binding?.phase === 'failed')
  if (!isEntered || row.environment_id === null || publicKey === null) return null
  const environment = await environments.readById(queryable, row.environment_id)
  const address = environment?.status.address ?? null
  if (environment === undefined || address === null) return null
  // A released environment is being deleted, even while the claim's phase does not show it yet.
  if (environment.claim_id !== row.id || environment.desired_phase === 'deleted') return null
  const authority = await authorities.of(queryable, row.organization_id)
  const signedFor = { publicKey, keyId: `claim:${row.id} principal:${principalId}` }
  return connectionTo(authority, { id: environment.id, address }, signedFor, clock.now())
}
