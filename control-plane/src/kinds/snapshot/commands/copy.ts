import type { copyCreateSchema } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Caller } from '../../../api/caller.ts'
import type { Command } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { unreadable } from '../copies/decide-copy.ts'
import { originsIn } from '../copies/look.ts'
import { wantCopy } from '../copies/want.ts'
import { readHolders, snapshots } from '../queries.ts'
import type { SnapshotRow } from '../table.ts'

/** Has a runner hold a snapshot too; one that has it, or is about to, stays as it is. */
export const copySnapshot: Command<OnOne<z.output<typeof copyCreateSchema>>, SnapshotRow> = {
  async run(tx, context, { reference, body: { runner } }) {
    const { caller, services } = context
    const row = await snapshots.lockForChange(tx, context, reference)
    const runnerId = await findRunner(tx, caller, runner)
    const origins = originsIn(await readHolders(tx, [row.id]))
    if (row.phase === 'ready' && origins.every(({ address }) => address === null))
      throw new HearthError('conflict', `snapshot ${row.name}: ${unreadable(origins).message}`)
    await wantCopy(tx, { snapshotId: row.id, runnerId, again: true }, services.clock.now())
    return (await snapshots.lockById(tx, row.id)) ?? row
  },
}

async function findRunner(tx: DatabaseTransaction, caller: Caller, reference: string): Promise<string> {
  const row = await tx
    .selectFrom('runners')
    .select('id')
    .where('organization_id', '=', caller.organizationId)
    .where('phase', '<>', 'deleted')
    .where(isId(reference) ? 'id' : 'name', '=', reference)
    .executeTakeFirst()
  return found(row, 'runner', reference).id
}
