import type { CommandContext } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type EnvironmentRow, environments, requireEntry } from '../../environment/index.ts'
import { lockRoutes, routeQueries } from '../queries.ts'
import type { RouteRow } from '../table.ts'

/** A route under lock with its environment, which the caller may enter; the environment is locked first, as everywhere. */
export async function lockRouteForChange(
  tx: DatabaseTransaction,
  { caller, expectedVersion }: Pick<CommandContext, 'caller' | 'expectedVersion'>,
  reference: string,
): Promise<{ row: RouteRow; machine: EnvironmentRow }> {
  const { id, environment_id } = found(await routeQueries.find(tx, caller, reference), 'route', reference)
  const machine = found(await environments.lockById(tx, environment_id), 'route', reference)
  await requireEntry(tx, caller, machine)
  const [locked] = await lockRoutes(tx, [id])
  const row = found(locked, 'route', reference)
  requireVersion(expectedVersion, row.spec_version)
  return { row, machine }
}
