import type { BindingOrder, ClaimBinding } from '@hearth/contract'
import { seal } from '@hearth/foundation'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { readBindingSecrets } from './secrets.ts'

export interface BindingFacts {
  id: string
  claim_id: string | null
  binding_attempt: number | null
  sealing_key: string | null
  desired_phase: string
}

/** What names a binding in the digest of an order; null where there is nothing to bind. */
export function bindingName({
  claim_id,
  binding_attempt,
}: Pick<BindingFacts, 'claim_id' | 'binding_attempt'>): Pick<BindingOrder, 'claimId' | 'attempt'> | null {
  return claim_id === null || binding_attempt === null
    ? null
    : { claimId: claim_id, attempt: binding_attempt }
}

/** What a claim wants of its environment. Throws when the secrets cannot be sealed to the runner. */
export async function bindingOrder(
  queryable: Queryable,
  encryption: Encryption,
  facts: BindingFacts & { binding: ClaimBinding | null },
): Promise<BindingOrder | null> {
  const name = bindingName(facts)
  const { binding, sealing_key, id, desired_phase } = facts
  if (name === null || binding === null || desired_phase === 'deleted') return null
  const { variables, secretNames, repositories, hostname, startCommand } = binding
  const isSealed = secretNames.length > 0 && sealing_key !== null
  const secrets = isSealed ? await readBindingSecrets(queryable, encryption, name.claimId) : {}
  const sealedSecrets = isSealed ? seal(JSON.stringify(secrets), sealing_key, id) : null
  return { ...name, variables, secretNames, sealedSecrets, repositories, hostname, startCommand }
}
