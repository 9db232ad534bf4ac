import { HearthError, isId } from '@hearth/foundation'
import { client, type Invocation, stateFolder } from '../invocation.ts'
import { goneIsNull } from '../kinds/gone-is-null.ts'
import { type Access, endsSoon, loadAccess, saveAccess } from './access.ts'
import { keyPair } from './key-pair.ts'

/** Access to an environment by its claim or id, with a certificate that does not expire soon. */
export async function openAccess(
  invocation: Invocation,
  reference: string,
  options: { renew: boolean },
): Promise<Access> {
  const folder = stateFolder(invocation)
  const kept = isId(reference) ? loadAccess(folder, reference) : null
  if (kept !== null && !options.renew && !endsSoon(kept, invocation.clock.now())) return kept
  const { signal } = invocation
  const { claims, environments } = client(invocation)
  const target = await findTarget(invocation, reference)
  const pair = await keyPair(folder, invocation.config.variables)
  const group = target.kind === 'claim' ? claims : environments
  const connection = await group.certificate(target.id, pair.publicKey, { signal })
  const access: Access = { ...target, connection }
  saveAccess(folder, pair.privateKeyFile, access)
  return access
}

async function findTarget(invocation: Invocation, reference: string): Promise<Pick<Access, 'id' | 'kind'>> {
  const { claims, environments } = client(invocation)
  const { signal } = invocation
  const claim = await claims.get(reference, { signal }).catch(goneIsNull)
  if (claim !== null) return { id: claim.metadata.id, kind: 'claim' }
  const environment = await environments.get(reference, { signal }).catch(goneIsNull)
  if (environment !== null) return { id: environment.metadata.id, kind: 'environment' }
  throw new HearthError('not_found', `there is no claim and no environment ${reference}`)
}
