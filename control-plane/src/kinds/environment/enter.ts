import type { Connection } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { type Caller, mayEnter } from '../../api/caller.ts'
import { found } from '../../api/lookup.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { CertificateAuthorities } from '../organization/index.ts'
import { certificateSeconds, connectionTo } from './connection.ts'
import { keepLonger } from './keep.ts'
import { claimantOf, findEnvironment, lockEnvironment } from './queries.ts'
import type { EnvironmentRow } from './table.ts'

/**
 * The way into a machine, whatever its phase, as long as its guest has an address. A claimed one opens for its claimant
 * and administrators, a test machine for who started the test and administrators; asking keeps a test machine longer,
 * and its certificate is no longer than that, so that whoever comes back asks again.
 */
export async function enter(
  tx: DatabaseTransaction,
  authorities: CertificateAuthorities,
  caller: Caller,
  wanted: { id: string; publicKey: string },
  now: Date,
): Promise<Connection> {
  const row = found(await findEnvironment(tx, caller.organizationId, wanted.id), 'environment', wanted.id)
  await requireEntry(tx, caller, row)
  const { address } = row.status
  if (address === null)
    throw new HearthError('conflict', `environment ${row.name} is ${row.phase} and has no address yet`)
  if (row.tested_pool_id !== null) {
    const locked = found(await lockEnvironment(tx, row.id), 'environment', row.id)
    if (locked.desired_phase === 'deleted')
      throw new HearthError('conflict', `test ${row.name} is over: its machine is being removed`)
    await keepLonger(tx, locked, now)
  }
  const authority = await authorities.of(tx, row.organization_id)
  const signedFor = {
    publicKey: wanted.publicKey,
    keyId: `environment:${row.id} principal:${caller.principalId}`,
  }
  const seconds = Math.min(certificateSeconds, row.keep_seconds ?? certificateSeconds)
  return connectionTo(authority, { id: row.id, address }, signedFor, now, seconds)
}

async function requireEntry(queryable: Queryable, caller: Caller, row: EnvironmentRow): Promise<void> {
  if (row.claim_id !== null && !mayEnter(caller, await claimantOf(queryable, row.claim_id))) {
    throw new HearthError(
      'forbidden',
      `environment ${row.name} is claimed: only the claimant and administrators enter it`,
    )
  }
  if (row.tested_pool_id !== null && !mayEnter(caller, row.creator)) {
    throw new HearthError(
      'forbidden',
      `environment ${row.name} is a test: only who started it and administrators enter it`,
    )
  }
}
