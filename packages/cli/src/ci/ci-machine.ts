import type { Environment } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { environmentOf } from '../following/follow-power.ts'
import { type Invocation, stateFolder } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import type { View } from '../kinds/kind.ts'
import { openAwake } from '../ssh/open-awake.ts'
import { takeClaim } from '../ssh/take-claim.ts'

/** The machine of one `hearth ci`, and how it is given back. */
export interface TakenMachine {
  /** Of the claim, or of the environment that was named. */
  name: string
  place: { claim: string } | { environment: string }
  accessId: string
  environment: Environment
  /** Does nothing to a machine that was there before. */
  giveBack(): Promise<void>
}

/** Claims a machine of the project, which is deleted after the time limit at the latest, whatever becomes of this command. */
export async function claimMachine(
  invocation: Invocation,
  view: View,
  wish: { project: string; environmentClass?: string | undefined; lifetimeSeconds: number },
): Promise<TakenMachine> {
  const { client, signal } = view
  const folder = stateFolder(invocation)
  const taken = await takeClaim(
    client,
    {
      ...{ project: wish.project, environmentClass: wish.environmentClass, fallback: 'cold' },
      waitSeconds: wish.lifetimeSeconds,
      life: { lifetimeSeconds: wish.lifetimeSeconds, lifetimeThen: 'delete' },
    },
    { stateFolder: folder, variables: invocation.config.variables, signal },
  )
  const { metadata, status } = taken.claim
  if (taken.access === null || status.environmentId === null)
    throw new HearthError('unavailable', `claim ${metadata.name} has no machine yet: its time is over`)
  return {
    name: metadata.name,
    place: { claim: metadata.id },
    accessId: metadata.id,
    environment: await client.environments.get(status.environmentId, { signal }),
    // Also after Ctrl-C.
    giveBack: async () => {
      await client.claims.release(metadata.id, { signal: AbortSignal.timeout(10_000) })
    },
  }
}

/** A machine that was claimed before, which is resumed where it is suspended. */
export async function useMachine(
  invocation: Invocation,
  view: View,
  reference: string,
): Promise<TakenMachine> {
  const access = await openAwake(invocation, reference, { renew: false })
  const found = await findMachine(view, reference)
  const environment = await environmentOf(view, found)
  if (environment === null)
    throw new HearthError('conflict', `claim ${reference} has no environment any more`)
  const { id, name } = found.resource.metadata
  return {
    name,
    place: found.kind === 'claim' ? { claim: id } : { environment: id },
    accessId: access.id,
    environment: await view.client.environments.get(environment.metadata.id, { signal: view.signal }),
    giveBack: () => Promise.resolve(),
  }
}
