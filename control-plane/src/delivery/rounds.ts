import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Channel, Notifications } from '../database/notifications.ts'
import { Doorbell } from '../kinds/event/index.ts'

export interface RoundOptions {
  notifications: Notifications
  /** The notification channel that announces work. */
  channel: Channel
  /** Pause between rounds in milliseconds, so that under load one round carries many changes. */
  pause: number
  /** Poll interval in milliseconds, for when a NOTIFY is lost. */
  rest: number
  log: Logger
}

/**
 * Runs `round` when work is announced, one round at a time, until the signal aborts. The next round begins at once when
 * `round` returns true or work was announced meanwhile.
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
