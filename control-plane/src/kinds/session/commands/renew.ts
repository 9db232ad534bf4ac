import type { sessionRenewalSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { wakeAt } from '../../../reconciling/wake.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { extendLease } from '../queries.ts'
import type { SessionRow } from '../table.ts'
import { lockOwn } from './own.ts'

/** The caller lives, and says so. Observers are not told, since nothing they see has changed. */
export const renewSession: Command<OnOne<z.output<typeof sessionRenewalSchema>>, SessionRow> = {
  async run(tx, context, { reference, body: { leaseSeconds } }) {
    const row = await lockOwn(tx, context, reference)
    if (row.spec.detached) return row
    const until = new Date(context.services.clock.now().getTime() + leaseSeconds * 1_000)
    // Its timer is set where there may be none: for a session that was going on without its caller.
    if (row.lease_ends_at === null || until < row.lease_ends_at) await wakeAt(tx, 'session', row.id, until)
    return extendLease(tx, row.id, until)
  },
}
