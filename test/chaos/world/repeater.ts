import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { subjects } from '@hearth/contract'
import type { SeededRandom } from '@hearth/testing'
import type { Msg, NatsConnection } from '@nats-io/transport-node'

const mostDelayMilliseconds = 1_500

/**
 * Sends earlier messages again, among newer ones, without the id by which NATS would recognise them as duplicates.
 * Runs until the signal aborts.
 */
export async function repeatMessages(
  nats: NatsConnection,
  options: { share: number; random: SeededRandom; signal: AbortSignal },
): Promise<void> {
  const { share, random, signal } = options
  // One listener for each message that waits to be sent again.
  setMaxListeners(0, signal)
  const sentAgain = new Set<string>()
  const again = async (message: Msg) => {
    const text = message.string()
    if (signal.aborted || sentAgain.has(text) || random.next() > share) return
    sentAgain.add(text)
    await delay(random.integer(0, mostDelayMilliseconds), undefined, { signal })
    if (!nats.isClosed()) nats.publish(message.subject, text)
  }
  const subscriptions = [subjects.allReports, subjects.allWork].map((subject) => nats.subscribe(subject))
  const stop = () => {
    for (const subscription of subscriptions) subscription.unsubscribe()
  }
  signal.addEventListener('abort', stop)
  // Connecting to NATS may have taken until the end of the run.
  if (signal.aborted) stop()
  await Promise.all(
    subscriptions.map(async (subscription) => {
      for await (const message of subscription) again(message).catch(() => undefined)
    }),
  )
}
