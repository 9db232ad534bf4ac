import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { lackToRun } from '../../../placement/place.ts'
import type { EnvironmentRow } from '../table.ts'
import { rests } from './at-rest.ts'
import { lockPlacement, readFleet } from './fleet.ts'

/**
 * What the host of an environment at rest lacks to run it, in words; null when it has room. Locks placement until the transaction
 * ends, so that nobody else is given this room. Rows are locked before it, quotas after it.
 */
export async function lackOnHost(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<string | null> {
  if (row.runner_id === null || !rests(row)) return null
  await lockPlacement(tx, row.organization_id)
  const [host] = await readFleet(tx, row.organization_id, now, { runnerId: row.runner_id })
  if (host === undefined) return null
  const { virtual_cpus: virtualCpus, memory_mebibytes: memoryMebibytes } = row
  const lack = lackToRun({ virtualCpus, memoryMebibytes }, host)
  return lack === null ? null : `runner ${host.name} ${lack.one}`
}

/** Throws a conflict when an environment at rest does not fit on its host. */
export async function requireRoomToRun(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<void> {
  const lack = await lackOnHost(tx, row, now)
  if (lack === null) return
  throw new HearthError(
    'conflict',
    `environment ${row.name} is at rest, and ${lack}: suspend, stop or delete another there first`,
  )
}
