import type { EnvironmentOrder, Failure, Identity } from '@hearth/contract'
import { Deadline } from '@hearth/foundation'
import { GuestUnreachable, IdentityNotTaken, type IdentityTaking } from '../../guest/guest.ts'
import { type Authority, StaleAuthority } from '../../host/authority.ts'
import { HostKeyMismatch } from '../../secure-shell/connection.ts'
import { ensureServer, type ServerContext } from './provision.ts'

export interface OwnIdentityContext extends ServerContext {
  order: EnvironmentOrder
  authority: Authority
  taking: IdentityTaking
  /** Seconds from the beginning of the step. */
  limitSeconds: number
  startedAt: Date
  /** Aborts when the current step is interrupted. */
  interrupted: AbortSignal
}

export type OwnIdentityResult =
  | { kind: 'succeeded'; identity: Identity | null }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'interrupted' }

/** The gate: a guest from a snapshot gives up the identity it had, and proves the one of its machine. */
export async function ownIdentity(context: OwnIdentityContext): Promise<OwnIdentityResult> {
  const { guest, order, authority, taking, limitSeconds, startedAt, clock, interrupted } = context
  const left = Math.max(1, startedAt.getTime() + limitSeconds * 1000 - clock.now().getTime())
  using deadline = new Deadline(left, interrupted)
  try {
    await authority.assertHeld()
    await guest.takeIdentity(taking, order, deadline.signal)
    const result = await ensureServer(context, 'own_identity', deadline.signal)
    return result.kind === 'succeeded' ? { kind: 'succeeded', identity: result.identity ?? null } : result
  } catch (thrown) {
    if (thrown instanceof StaleAuthority) throw thrown
    if (interrupted.aborted) return { kind: 'interrupted' }
    if (thrown instanceof IdentityNotTaken) return failed('identity_mismatch', thrown.message)
    if (thrown instanceof HostKeyMismatch) {
      return failed(
        'identity_mismatch',
        'the guest shows an SSH host key that is neither its own nor its origin’s',
      )
    }
    if (!deadline.hasPassed && !(thrown instanceof GuestUnreachable)) throw thrown
    const why = thrown instanceof GuestUnreachable ? `: ${thrown.message}` : ''
    return failed(
      'guest_unreachable',
      `the guest did not take its own identity within ${limitSeconds} s${why}`,
    )
  }
}

function failed(code: Failure['code'], message: string): OwnIdentityResult {
  return { kind: 'failed', failure: { code, message, step: 'own_identity' } }
}
