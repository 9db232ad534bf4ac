import { isPrebuildEnded, type PrebuildDesiredPhase } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { environments, forget } from '../../environment/index.ts'
import { clearPrebuild } from '../clear.ts'
import { movePrebuild } from '../phase.ts'
import { prebuilds } from '../queries.ts'
import { type PrebuildRow, toPrebuild } from '../table.ts'

/** Stops the work on a prebuild and removes what it has made; a repetition changes nothing. */
export const cancelPrebuild: Command<OnOne, PrebuildRow> = {
  async run(tx, context, { reference }) {
    const row = await prebuilds.lockForChange(tx, context, reference)
    if (row.desired_phase === 'cancelled' || row.phase === 'cancelled') return row
    if (isPrebuildEnded(row.phase) || row.desired_phase === 'deleted')
      throw new HearthError('conflict', `prebuild ${row.name} is ${row.phase}: there is nothing to cancel`)
    return desire(tx, row, 'cancelled')
  },
}

/** Deletes a prebuild in any phase, with its machines and its snapshot; with `force` without waiting for runners. */
export const deletePrebuild: Command<OnOne<Force>, PrebuildRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const row = await prebuilds.lockForChange(tx, context, reference)
    if (row.phase === 'deleted') return row
    const going = row.desired_phase === 'deleted' ? row : await desire(tx, row, 'deleted')
    if (force) return forgetAll(tx, going, context.services.clock.now())
    await wake(tx, 'prebuild', row.id)
    return going
  },
}

/** Its snapshots are on their way out, and wait for their runners by themselves. */
async function forgetAll(tx: DatabaseTransaction, row: PrebuildRow, now: Date): Promise<PrebuildRow> {
  await clearPrebuild(tx, row, now)
  const machines = await tx
    .selectFrom('environments')
    .select('id')
    .where('owner_kind', '=', 'prebuild')
    .where('owner_id', '=', row.id)
    .where('phase', '<>', 'deleted')
    .orderBy('id')
    .execute()
  for (const { id } of machines) {
    const machine = await environments.lockById(tx, id)
    if (machine !== undefined && machine.phase !== 'deleted') await forget(tx, machine, now)
  }
  const going = row.phase === 'deleting' ? row : await movePrebuild(tx, row, { phase: 'deleting', now })
  return movePrebuild(tx, going, { phase: 'deleted', now })
}

async function desire(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  desired_phase: PrebuildDesiredPhase,
): Promise<PrebuildRow> {
  const changed = await prebuilds.changeSpec(tx, row.id, { desired_phase })
  await recordEvent(tx, 'updated', toPrebuild(changed, null))
  await wake(tx, 'prebuild', row.id)
  return changed
}
