import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { releaseArtifacts } from '../artifact/index.ts'
import { deployments, lockUnderway } from './queries.ts'
import { toDeployment } from './table.ts'
import { changeDeployment } from './write.ts'

/** Ends those of a space that are on their way, since their web app goes. */
export async function cancelDeployments(tx: DatabaseTransaction, spaceId: string, now: Date): Promise<void> {
  const message = 'its web app is being deleted'
  for (const row of await lockUnderway(tx, spaceId)) {
    const failure = { code: 'cancelled', message } as const
    await changeDeployment(tx, row, { phase: 'cancelled', status: { failure }, said: message, now })
  }
}

/** Removes all of a space, and gives their artifacts free. */
export async function forgetDeployments(tx: DatabaseTransaction, spaceId: string): Promise<void> {
  const rows = await tx.selectFrom('deployments').selectAll().where('space_id', '=', spaceId).execute()
  for (const row of rows) {
    await releaseArtifacts(tx, row.id)
    await deployments.remove(tx, row.id)
    await recordEvent(tx, 'deleted', toDeployment(row))
  }
}
