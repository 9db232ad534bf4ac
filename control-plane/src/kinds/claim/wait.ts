import { Deadline, HearthError } from '@hearth/foundation'
import type { Caller } from '../../api/caller.ts'
import type { Services } from '../../api/services.ts'
import { followEvents, newestPosition } from '../event/index.ts'
import type { ClaimRow } from './table.ts'

/**
 * Reads a claim again after each of its events until it is no longer pending or the time has passed. Such a wait counts
 * as a stream of the caller's, and ends with its token: throws `unauthenticated`, since the answer may hold a certificate.
 */
export async function waitWhilePending(
  services: Services,
  caller: Caller,
  read: () => Promise<ClaimRow>,
  seconds: number,
  aborted: AbortSignal,
): Promise<ClaimRow> {
  const position = seconds > 0 ? await newestPosition(services.database) : 0
  const row = await read()
  if (row.phase !== 'pending' || seconds === 0) return row
  using stream = services.streams.open(caller)
  using deadline = new Deadline(seconds * 1000, aborted, services.stopping, stream.tokenEnded)
  const filter = { organizationId: row.organization_id, kind: 'Claim' as const, resourceId: row.id }
  for await (const event of followEvents(services, filter, position, deadline.signal)) {
    if (event === null) continue
    const now = await read()
    if (now.phase !== 'pending') break
  }
  if (stream.tokenEnded.aborted)
    throw new HearthError('unauthenticated', 'the token ended during the wait for the claim')
  return read()
}
