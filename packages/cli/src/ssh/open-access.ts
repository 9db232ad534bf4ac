import { isId } from '@hearth/foundation'
import { client, type Invocation, stateFolder } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
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
  const hearth = client(invocation)
  const { kind, resource } = await findMachine({ client: hearth, signal }, reference)
  const { id } = resource.metadata
  const pair = await keyPair(folder, invocation.config.variables)
  const group = kind === 'claim' ? hearth.claims : hearth.environments
  const connection = await group.certificate(id, pair.publicKey, { signal })
  const access: Access = { id, kind, connection }
  saveAccess(folder, pair.privateKeyFile, access)
  return access
}
