import type { Clock } from '@hearth/foundation'
import type { Database } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { recordSince } from '../../resource/retention.ts'
import { forgetSession } from './change.ts'
import { sessions, sessionsToForget } from './queries.ts'

/** Of one organization's ended sessions. */
const mostKept = 1_000
/** In one minute. */
const mostForgotten = 500

/** Forgets sessions that ended long ago, and those beyond the newest. */
export async function forgetSessions(database: Database, clock: Clock): Promise<void> {
  const wanted = { before: recordSince(clock.now()), keep: mostKept, limit: mostForgotten }
  for (const id of await sessionsToForget(database, wanted)) {
    // One at a time: each takes a number of its organization, which only one transaction at a time may hold.
    await transact(database, async (tx) => {
      const row = await sessions.lockById(tx, id)
      if (row?.phase === 'ended') await forgetSession(tx, row)
    })
  }
}
