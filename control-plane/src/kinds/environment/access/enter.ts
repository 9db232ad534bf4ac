import type { Connection } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { type Caller, mayEnter } from '../../../api/caller.ts'
import { found } from '../../../api/lookup.ts'
import type { Services } from '../../../api/services.ts'
import type { DatabaseTransaction, Queryable } from '../../../database/connection.ts'
import { changeOwner } from '../lifecycle/change-owner.ts'
import { keepLonger } from '../lifecycle/keep.ts'
import { rulesFor } from '../owner-rules.ts'
import { claimantOf, environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'
import { certificateSeconds, connectionTo } from './connection.ts'

/**
 * The way into a machine, whatever its phase, as long as its guest has an address. A claimed one opens for its claimant
 * and administrators, one that an owner has for those its rules let in. One that a claim may get leaves its owner in the
 * transaction of the certificate: a certificate outlives a claim by hours, and no claim touches a guest, so that nothing
 * could be taken back. Asking keeps a machine that is kept for a time longer, and its certificate is no longer than
 * that, so that whoever comes back asks again.
 */
export async function enter(
  tx: DatabaseTransaction,
  authorities: Services['authorities'],
  caller: Caller,
  wanted: { id: string; publicKey: string },
  now: Date,
): Promise<Connection> {
  // Under lock from here on: a claim and a certificate for the same machine go one after the other.
  const row = found(await environments.lock(tx, caller, wanted.id), 'environment', wanted.id)
  await requireEntry(tx, caller, row)
  const { address } = row.status
  if (address === null)
    throw new HearthError('conflict', `environment ${row.name} is ${row.phase} and has no address yet`)
  if (row.desired_phase === 'deleted') {
    const what = rulesFor(row)?.noun ?? 'environment'
    throw new HearthError('conflict', `${what} ${row.name} is over: its machine is being removed`)
  }
  const kept = await keptFor(tx, row, now)
  const authority = await authorities.of(tx, row.organization_id)
  const signedFor = {
    publicKey: wanted.publicKey,
    keyId: `environment:${row.id} principal:${caller.principalId}`,
  }
  const seconds = Math.min(certificateSeconds, kept.keep_seconds ?? certificateSeconds)
  return connectionTo(authority, { id: row.id, address }, signedFor, now, seconds)
}

/** The machine as it is once somebody has been let in. */
async function keptFor(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<EnvironmentRow> {
  const heir = row.claim_id === null ? (rulesFor(row)?.afterEntry ?? null) : null
  if (heir === null) return keepLonger(tx, row, now)
  return changeOwner(tx, row, { kind: heir, keepSeconds: certificateSeconds }, now)
}

async function requireEntry(queryable: Queryable, caller: Caller, row: EnvironmentRow): Promise<void> {
  const refuse = (because: string) => new HearthError('forbidden', `environment ${row.name} ${because}`)
  if (row.claim_id !== null) {
    if (mayEnter(caller, await claimantOf(queryable, row.claim_id))) return
    throw refuse('is claimed: only the claimant and administrators enter it')
  }
  const lets = rulesFor(row)?.lets
  if (lets !== undefined && !mayEnter(caller, lets.creator ? row.creator : null)) throw refuse(lets.refusal)
}
