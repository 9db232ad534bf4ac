import type { environmentUpdateSchema, QuotaLimits } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { changeLife, refusePastLife } from '../life/change.ts'
import { desirePhase, setLabels } from '../lifecycle/desire.ts'
import { requireRoomToRun } from '../placing/room.ts'
import { environments } from '../queries.ts'
import { type EnvironmentRow, toListedEnvironment } from '../table.ts'

/** Stops or starts an environment, or changes its labels or its life. */
export const changeEnvironment: Command<OnOne<z.output<typeof environmentUpdateSchema>>, EnvironmentRow> = {
  async run(tx, context, { reference, body }) {
    const row = await environments.lockForChange(tx, context, reference)
    const now = context.services.clock.now()
    const { desiredPhase: desired, life } = body.spec ?? {}
    const { limits, lifeCap } = context.caller
    const relived = life === undefined ? row : await changeLife(tx, row, life, lifeCap, now)
    const labelled = body.labels === undefined ? relived : await setLabels(tx, relived, body.labels)
    const changed =
      desired === undefined
        ? labelled
        : desired === 'running'
          ? await runEnvironment(tx, labelled, limits, now)
          : await desirePhase(tx, labelled, desired, limits)
    if (changed === labelled && labelled !== relived)
      await recordEvent(tx, 'updated', toListedEnvironment(labelled))
    return changed
  },
}

/** Has an environment run that is off or may become so; the row must have been read under lock. Throws what keeps it from that. */
export async function runEnvironment(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  limits: QuotaLimits,
  now: Date,
): Promise<EnvironmentRow> {
  refusePastLife(row, now)
  await requireRoomToRun(tx, row, now)
  return desirePhase(tx, row, 'running', limits)
}
