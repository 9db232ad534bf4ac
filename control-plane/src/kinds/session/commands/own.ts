import { HearthError } from '@hearth/foundation'
import type { CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { sessions } from '../queries.ts'
import type { SessionRow } from '../table.ts'

/** An open session under lock, for whoever opened it and administrators: nobody else speaks for its caller. */
export async function lockOwn(
  tx: DatabaseTransaction,
  context: CommandContext,
  reference: string,
): Promise<SessionRow> {
  const row = await sessions.lockForChange(tx, context, reference)
  const { caller } = context
  if (row.creator !== caller.principalId && !caller.roles.includes('administrator'))
    throw new HearthError('forbidden', `session ${row.name} is someone else’s`)
  if (row.phase === 'ended')
    throw new HearthError(
      'conflict',
      `session ${row.name} has ended: what its caller does is not part of it any more`,
    )
  return row
}
