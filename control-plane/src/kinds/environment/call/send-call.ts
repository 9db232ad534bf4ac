import type { Call } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { CallAnswer } from '@hearth/messaging'
import type { Services } from '../../../api/services.ts'

/** Who waits for what is answered. */
export interface Waiting {
  signal: AbortSignal
  /** Aborts when the token of who waits has ended. */
  tokenEnded: AbortSignal
}

/** Asks an agent, until who waits leaves or may not wait any more. */
export async function sendCall(
  { messaging, stopping }: Pick<Services, 'messaging' | 'stopping'>,
  call: Call,
  deadlineMilliseconds: number,
  { signal, tokenEnded }: Waiting,
): Promise<CallAnswer> {
  const ended = AbortSignal.any([signal, stopping, tokenEnded])
  try {
    return await messaging.call(call, { deadlineMilliseconds, signal: ended })
  } catch (thrown) {
    if (stopping.aborted) throw new HearthError('unavailable', 'this control plane stops: ask again')
    if (tokenEnded.aborted) throw new HearthError('unauthenticated', 'the token has ended meanwhile')
    if (signal.aborted) throw new HearthError('unavailable', 'the caller has left')
    throw thrown
  }
}
