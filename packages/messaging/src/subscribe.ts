import { toError } from '@hearth/foundation'
import type { Msg } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'

/** Gives every message to `each` as it comes, several at once, until the signal aborts; then waits for those begun. */
export async function subscribe(
  connection: Connection,
  options: { subject: string; queue?: string; signal: AbortSignal },
  each: (message: Msg) => Promise<void>,
): Promise<void> {
  if (options.signal.aborted) return
  const begun = new Set<Promise<void>>()
  const subscription = connection.nats.subscribe(
    options.subject,
    options.queue === undefined ? {} : { queue: options.queue },
  )
  const stop = () => subscription.unsubscribe()
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const message of subscription) {
      const handled = each(message)
        .catch((thrown: unknown) => connection.onProblem(message.subject, toError(thrown)))
        .finally(() => begun.delete(handled))
      begun.add(handled)
    }
  } finally {
    options.signal.removeEventListener('abort', stop)
    await Promise.all(begun)
  }
}
