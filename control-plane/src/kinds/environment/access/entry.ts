import { HearthError } from '@hearth/foundation'
import { type Caller, mayEnter } from '../../../api/caller.ts'
import type { Queryable } from '../../../database/connection.ts'
import { rulesFor } from '../owner-rules.ts'
import { claimantOf } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'

/**
 * Throws `forbidden` unless the caller may enter an environment. A claimed one opens for its claimant and
 * administrators, an owned one for those that its owner's rules admit, any other for everybody who may start machines.
 */
export async function requireEntry(queryable: Queryable, caller: Caller, row: EnvironmentRow): Promise<void> {
  const refuse = (because: string) => new HearthError('forbidden', `environment ${row.name} ${because}`)
  if (row.claim_id !== null) {
    if (mayEnter(caller, await claimantOf(queryable, row.claim_id))) return
    throw refuse('is claimed: only the claimant and administrators enter it')
  }
  const lets = rulesFor(row)?.lets
  if (lets !== undefined && !mayEnter(caller, lets.creator ? row.creator : null)) throw refuse(lets.refusal)
}

/** Whether an environment is open to everybody who may start machines. */
export const isOpenToAll = (row: EnvironmentRow): boolean => row.claim_id === null && rulesFor(row) === null
