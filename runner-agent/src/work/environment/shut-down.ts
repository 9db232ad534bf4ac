import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, Deadline } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Guest } from '../../guest/guest.ts'
import type { Authority } from '../../host/authority.ts'
import type { Machines } from '../../host/machines.ts'

const shutdownSeconds = 60
const shutdownRequestSeconds = 20
const shutdownPollMilliseconds = 500

export interface ShutDownContext {
  environmentId: string
  authority: Authority
  machines: Machines
  clock: Clock
  log: Logger
  guest: Guest
  /** Called after the guest was asked to shut down. */
  asked(): void
  /** Aborts when the current step is interrupted. */
  interrupted: AbortSignal
}

/**
 * Asks the machine to shut down, by its power button and over SSH, since not every guest reacts to both. Cuts the
 * power if it does not shut down in time.
 */
export async function shutDown(context: ShutDownContext): Promise<void> {
  const { environmentId, authority, machines, clock, log, guest, interrupted } = context
  using request = new Deadline(shutdownRequestSeconds * 1000, interrupted)
  await Promise.allSettled([machines.shutDown(environmentId, authority), guest.shutDown(request.signal)])
  context.asked()
  const deadline = clock.now().getTime() + shutdownSeconds * 1000
  while (clock.now().getTime() < deadline) {
    const { power } = await machines.look(environmentId)
    if (power !== 'running' && power !== 'paused') return
    await delay(shutdownPollMilliseconds, undefined, { signal: interrupted })
  }
  log.warn({ environmentId }, `the guest did not shut down within ${shutdownSeconds} s: cutting its power`)
  await machines.powerOff(environmentId, authority)
}
