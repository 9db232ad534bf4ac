import { HearthError } from '@hearth/foundation'
import type { Caller } from '../../api/caller.ts'
import { found } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { claims } from '../claim/index.ts'
import { type EnvironmentRow, environments, requireEntry } from '../environment/index.ts'

/** The environment, or the claim's, that the caller may enter, locked. */
export async function lockPlace(
  tx: DatabaseTransaction,
  caller: Caller,
  { environment, claim }: { environment?: string | undefined; claim?: string | undefined },
): Promise<EnvironmentRow> {
  const row =
    claim === undefined
      ? found(await environments.lock(tx, caller, environment ?? ''), 'environment', environment ?? '')
      : await lockClaimed(tx, caller, claim)
  await requireEntry(tx, caller, row)
  if (row.desired_phase === 'deleted')
    throw new HearthError(
      'conflict',
      `environment ${row.name} is being deleted: nothing new is started in it`,
    )
  return row
}

async function lockClaimed(
  tx: DatabaseTransaction,
  caller: Caller,
  reference: string,
): Promise<EnvironmentRow> {
  const claim = await claims.get(tx, caller, reference)
  const row =
    claim.environment_id === null ? undefined : await environments.lockById(tx, claim.environment_id)
  if (row?.claim_id === claim.id) return row
  throw new HearthError(
    'conflict',
    `claim ${claim.name} is ${claim.phase}: it has no environment in which something could be run`,
  )
}

/** The environment of a process, locked before the process is, in the order of all who lock both. */
export async function lockEnvironmentOf(
  tx: DatabaseTransaction,
  caller: Caller,
  environmentId: string,
): Promise<EnvironmentRow> {
  const row = found(await environments.lockById(tx, environmentId), 'environment', environmentId)
  await requireEntry(tx, caller, row)
  return row
}
