import type { Connection } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { type Caller, mayEnter } from '../../../api/caller.ts'
import { found } from '../../../api/lookup.ts'
import type { Services } from '../../../api/services.ts'
import type { DatabaseTransaction, Queryable } from '../../../database/connection.ts'
import { keepLonger } from '../lifecycle/keep.ts'
import { claimantOf, environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'
import { certificateSeconds, connectionTo } from './connection.ts'
import { beginInspection, isClaimable } from './inspection.ts'

/**
 * The way into a machine, whatever its phase, as long as its guest has an address. A claimed one opens for its claimant
 * and administrators, a test machine for who started the test and administrators. A member of a pool opens for
 * administrators, and leaves its pool in the transaction of the certificate: a certificate outlives a claim by hours,
 * and no claim touches a guest, so that nothing could be taken back. Asking keeps a test machine or an inspected one
 * longer, and its certificate is no longer than that, so that whoever comes back asks again.
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
    const what = row.tested_pool_id === null ? 'environment' : 'test'
    throw new HearthError('conflict', `${what} ${row.name} is over: its machine is being removed`)
  }
  const kept = isClaimable(row) ? await beginInspection(tx, row, now) : await keepLonger(tx, row, now)
  const authority = await authorities.of(tx, row.organization_id)
  const signedFor = {
    publicKey: wanted.publicKey,
    keyId: `environment:${row.id} principal:${caller.principalId}`,
  }
  const seconds = Math.min(certificateSeconds, kept.keep_seconds ?? certificateSeconds)
  return connectionTo(authority, { id: row.id, address }, signedFor, now, seconds)
}

async function requireEntry(queryable: Queryable, caller: Caller, row: EnvironmentRow): Promise<void> {
  if (row.claim_id !== null && !mayEnter(caller, await claimantOf(queryable, row.claim_id))) {
    throw new HearthError(
      'forbidden',
      `environment ${row.name} is claimed: only the claimant and administrators enter it`,
    )
  }
  const isPools = isClaimable(row) || row.inspected_pool_id !== null
  if (isPools && !caller.roles.includes('administrator')) {
    throw new HearthError(
      'forbidden',
      `environment ${row.name} is a member of a pool: claim one, or have an administrator look into it`,
    )
  }
  if (row.tested_pool_id !== null && !mayEnter(caller, row.creator)) {
    throw new HearthError(
      'forbidden',
      `environment ${row.name} is a test: only who started it and administrators enter it`,
    )
  }
}
