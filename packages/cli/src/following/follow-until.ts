import type { HearthClient } from '@hearth/client'
import type { Event, ResourceKind } from '@hearth/contract'

export interface Following {
  signal: AbortSignal
  kind?: ResourceKind
  resourceId?: string
  /** Reads the current state, at the start and after every lost connection; true when the condition holds. */
  read(signal: AbortSignal): Promise<boolean>
  /** Applies one change; true when the condition holds. */
  take(event: Event): boolean
}

/**
 * Waits, without polling, until a read or a change fulfils the condition. Throws the signal's reason when it aborts.
 */
export async function followUntil(client: HearthClient, following: Following): Promise<void> {
  const finished = new AbortController()
  const signal = AbortSignal.any([following.signal, finished.signal])
  let failure: { error: unknown } | null = null
  let reading: Promise<void> = Promise.resolve()
  const onOpen = () => {
    reading = following.read(signal).then(
      (done) => {
        if (done) finished.abort()
      },
      (error: unknown) => {
        if (signal.aborted) return
        failure = { error }
        finished.abort()
      },
    )
  }
  const { kind, resourceId } = following
  // After a gap the stream is reopened first and the current state is read afterwards.
  const onGap = () => undefined
  for await (const event of client.events.follow({ signal, kind, resourceId, onOpen, onGap })) {
    if (following.take(event)) finished.abort()
  }
  await reading
  throwFailure(failure)
  following.signal.throwIfAborted()
}

// A separate function, because the compiler does not see that a callback has set it.
function throwFailure(failure: { error: unknown } | null): void {
  if (failure !== null) throw failure.error
}
