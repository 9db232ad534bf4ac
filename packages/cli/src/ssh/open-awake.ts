import { HearthError } from '@hearth/foundation'
import { viewOf } from '../commands/options.ts'
import { environmentOf, followPower } from '../following/follow-power.ts'
import type { Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import type { Access } from './access.ts'
import { openAccess } from './open-access.ts'

/** Access to an environment, which is resumed where it is suspended. */
export async function openAwake(
  invocation: Invocation,
  reference: string,
  options: { renew: boolean },
): Promise<Access> {
  const isResumed = await wake(invocation, reference).catch((error: unknown) => {
    // A kept certificate is good without a control plane.
    if (error instanceof HearthError && error.code === 'unavailable') return false
    throw error
  })
  return await openAccess(invocation, reference, { renew: options.renew || isResumed })
}

/** Resolves with whether it was suspended. */
async function wake(invocation: Invocation, reference: string): Promise<boolean> {
  const view = viewOf(invocation)
  const environment = await environmentOf(view, await findMachine(view, reference))
  if (environment === null) return false
  const { client, signal } = view
  // A short command may come and go unseen by its host; what it is about does not wait for this.
  if (environment.status.life?.idleSeconds != null)
    client.environments.activity(environment.metadata.id, { signal }).catch(() => undefined)
  if (!asleep.has(environment.status.phase)) return false
  const spec = { desiredPhase: 'running' as const }
  const asked = await client.environments.update(environment.metadata.id, { spec }, { signal })
  await followPower(view, asked, 'running', invocation)
  return true
}

const asleep: ReadonlySet<string> = new Set(['suspending', 'suspended', 'resuming'])
