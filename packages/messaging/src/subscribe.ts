import { toError } from '@hearth/foundation'
import type { Msg } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'

/**
 * Passes every message that `admit` accepts to `each` as it arrives, several at once, until the signal aborts; then
 * waits for the running ones. A message that is not accepted is reported as a problem of its subject.
 */
export async function subscribe(
  connection: Connection,
  options: {
    subject: string
    queue?: string
    signal: AbortSignal
    /** Checks only the subject: a flood of messages must cost next to nothing. */
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

/** A sender has sent more than it is allowed to. */
export class TooMany extends Error {
  constructor() {
    super('more messages came than one runner may send: this one is left unread')
  }
}
