import { type SessionTarget, sessionLimits, type targetReportsSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { wakeAt } from '../../../reconciling/wake.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { afterReports } from '../reported.ts'
import { settleSession } from '../settle.ts'
import type { SessionRow } from '../table.ts'
import { lockOwn } from './own.ts'

/** Takes in what happens on the caller's side, and at once what follows from it for the session. */
export const reportTargets: Command<OnOne<z.output<typeof targetReportsSchema>>, SessionRow> = {
  async run(tx, context, { reference, body: { targets } }) {
    const { clock, timings } = context.services
    const row = await lockOwn(tx, context, reference)
    const now = clock.now()
    const reported = afterReports(row.status.reported, targets, now)
    refuseMany(reported)
    const settled = await settleSession(tx, row, { now, rest: timings.sessionRest }, reported)
    if (settled.next !== null) await wakeAt(tx, 'session', row.id, settled.next)
    return settled.row
  },
}

function refuseMany(targets: readonly SessionTarget[]): void {
  if (targets.length > sessionLimits.targets)
    throw new HearthError(
      'unprocessable',
      `with these the caller reports ${targets.length} targets, of ${sessionLimits.targets} at most`,
    )
  const bytes = Buffer.byteLength(JSON.stringify(targets))
  if (bytes > sessionLimits.reportedBytes)
    throw new HearthError(
      'too_large',
      `with these the reported targets are ${bytes} bytes, of ${sessionLimits.reportedBytes} at most: shorten their errors`,
    )
}
