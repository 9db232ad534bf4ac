import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Channel, Notifications } from '../database/notifications.ts'
import { Doorbell } from '../kinds/event/index.ts'

export interface RoundOptions {
  notifications: Notifications
  /** What announces that there is something to do. */
  channel: Channel
  /** Between rounds, so that under load one round carries many changes. In milliseconds. */
  pause: number
  /** A round begins after so long at the latest: an announcement may be lost. In milliseconds. */
  rest: number
  log: Logger
}

/**
 * Does `round` whenever there is something to do, one at a time, until the signal aborts. True from it: there may be
 * more at once. What is announced during a round begins the next.
 */
export async function goRounds(
  round: () => Promise<boolean>,
  { notifications, channel, pause, rest, log }: RoundOptions,
  signal: AbortSignal,
): Promise<void> {
  const doorbell = new Doorbell(signal)
  const stopListening = notifications.on(channel, () => doorbell.ring())
  try {
    while (!signal.aborted) {
      const more = await round().catch((error: unknown) => {
        log.warn({ err: toError(error), channel }, 'could not publish; trying again')
        return false
      })
      if (more) continue
      await delay(pause, undefined, { signal }).catch(() => undefined)
      await doorbell.wait(rest)
    }
  } finally {
    stopListening()
  }
}
