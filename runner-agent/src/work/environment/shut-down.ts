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
  /** Called when the guest has been asked. */
  asked(): void
  /** Aborts when something newer is to be done. */
  interrupted: AbortSignal
}

/** Asks the machine to shut down, by its power button and over SSH: not every guest heeds both. Cuts its power when it does not. */
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
  log.warn({ environmentId }, `not shut down after ${shutdownSeconds} s: its power is cut`)
  await machines.powerOff(environmentId, authority)
}
