import { toError } from '@hearth/foundation'
import type { Msg } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'

/**
 * Gives every message that `admit` lets in to `each` as it comes, several at once, until the signal aborts; then waits
 * for those begun. What is not let in is told as a problem of its subject.
 */
export async function subscribe(
  connection: Connection,
  options: {
    subject: string
    queue?: string
    signal: AbortSignal
    /** Looks at no more than the subject: a sender that floods must cost nothing. */
    admit(message: Pick<Msg, 'subject'>): boolean
  },
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
      if (!options.admit(message)) {
        connection.onProblem(message.subject, new TooMany())
        continue
      }
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

/** A sender has sent more than it may. */
export class TooMany extends Error {
  constructor() {
    super('more messages came than one runner may send: this one is left unread')
  }
}
