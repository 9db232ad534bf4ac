import type { Claim, Environment } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { goneIsNull } from './gone-is-null.ts'
import type { View } from './kind.ts'

export type FoundMachine = { kind: 'claim'; resource: Claim } | { kind: 'environment'; resource: Environment }

/** The claim, or else the environment, with this id or name. */
export async function findMachine(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  reference: string,
): Promise<FoundMachine> {
  const claim = await client.claims.get(reference, { signal }).catch(goneIsNull)
  if (claim !== null) return { kind: 'claim', resource: claim }
  const environment = await client.environments.get(reference, { signal }).catch(goneIsNull)
  if (environment !== null) return { kind: 'environment', resource: environment }
  throw new HearthError('not_found', `there is no claim and no environment ${reference}`)
}

/** As requests name it. */
export function placeOf({ kind, resource }: FoundMachine): { claim: string } | { environment: string } {
  const { id } = resource.metadata
  return kind === 'claim' ? { claim: id } : { environment: id }
}
