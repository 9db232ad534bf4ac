import { setTimeout as delay } from 'node:timers/promises'
import { type Domains, environmentIdOf } from './domains.ts'

/** Interval between two looks at all machines, for when an event was lost or none are available. */
const lookMilliseconds = 5_000
/** Delay before the event stream is reopened after it has ended. */
const restartMilliseconds = 1_000

/**
 * Reports machines whose power state changed: at once by libvirt's events, and every few seconds by a look at all of
 * them.
 */
export async function watchPower(
  domains: Pick<Domains, 'states' | 'followEvents'>,
  changed: (environmentId: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([followEvents(domains, changed, signal), lookAgainAndAgain(domains, changed, signal)])
}

async function followEvents(
  domains: Pick<Domains, 'followEvents'>,
  changed: (environmentId: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const take = (line: string) => {
      const id = environmentIdOf(/ for domain '([^']*)'/.exec(line)?.[1] ?? '')
      if (id !== null) changed(id)
    }
    // Changes missed while the stream was closed are found by the next look.
    await domains.followEvents(take, signal).catch(() => undefined)
    await pause(restartMilliseconds, signal)
  }
}

async function lookAgainAndAgain(
  domains: Pick<Domains, 'states'>,
  changed: (environmentId: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let before: Map<string, string> | null = null
  while (!signal.aborted) {
    // A host that does not answer is asked again later; its machines still exist.
    const now = await domains.states().catch(() => null)
    if (now !== null && before !== null) {
      for (const id of new Set([...before.keys(), ...now.keys()])) {
        if (before.get(id) !== now.get(id)) changed(id)
      }
    }
    before = now ?? before
    await pause(lookMilliseconds, signal)
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
}
