import { HearthError } from '@hearth/foundation'
import type { CommandContext } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type EnvironmentRow, environments, requireEntry } from '../../environment/index.ts'
import { spaces } from '../queries.ts'
import type { SpaceRow } from '../table.ts'

/** A space under lock with its environment, which the caller may enter; the environment is locked first, as everywhere. */
export async function lockSpaceForChange(
  tx: DatabaseTransaction,
  { caller, expectedVersion }: Pick<CommandContext, 'caller' | 'expectedVersion'>,
  reference: string,
): Promise<{ row: SpaceRow; machine: EnvironmentRow }> {
  const { id, environment_id } = found(await spaces.find(tx, caller, reference), 'space', reference)
  const machine = found(await environments.lockById(tx, environment_id), 'space', reference)
  await requireEntry(tx, caller, machine)
  const row = found(await spaces.lockById(tx, id), 'space', reference)
  requireVersion(expectedVersion, row.spec_version)
  if (row.desired === 'delete')
    throw new HearthError('conflict', `space ${row.name} is being deleted with its web app`)
  return { row, machine }
}
