import { HearthError } from '@hearth/foundation'
import type { Caller } from '../../../api/caller.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { changeOwner } from '../lifecycle/change-owner.ts'
import { keepLonger } from '../lifecycle/keep.ts'
import { rulesFor } from '../owner-rules.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'
import { certificateSeconds } from './connection.ts'
import { requireEntry } from './entry.ts'

/**
 * Lets the caller into an environment, in whatever way, and returns it locked: an entry and a claim cannot happen at once.
 * One that a claim could still get leaves its owner, and one that is kept for a limited time is kept longer. Throws what
 * `check` throws, `forbidden` for those who may not enter, and `conflict` for one that is being removed.
 */
export async function enter(
  tx: DatabaseTransaction,
  caller: Caller,
  reference: string,
  now: Date,
  check: (row: EnvironmentRow) => void,
): Promise<EnvironmentRow> {
  const row = found(await environments.lock(tx, caller, reference), 'environment', reference)
  await requireEntry(tx, caller, row)
  check(row)
  if (row.desired_phase === 'deleted') {
    const what = rulesFor(row)?.noun ?? 'environment'
    throw new HearthError('conflict', `${what} ${row.name} is over: its environment is being removed`)
  }
  const heir = row.claim_id === null ? (rulesFor(row)?.afterEntry ?? null) : null
  if (heir === null) return keepLonger(tx, row, now)
  return changeOwner(tx, row, { kind: heir, keepSeconds: certificateSeconds }, now)
}
