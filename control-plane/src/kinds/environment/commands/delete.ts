import type { Command } from '../../../api/command.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { desireDeletion } from '../lifecycle/desire.ts'
import { forget } from '../lifecycle/reconcile.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'

/** Deletes an environment; with `force` without waiting for its runner. */
export const deleteEnvironment: Command<OnOne<Force>, EnvironmentRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const row = await environments.lockForChange(tx, context, reference)
    if (row.phase === 'deleted') return row
    const now = context.services.clock.now()
    const because = { reason: 'requested' as const, principalId: context.caller.principalId }
    const going = await desireDeletion(tx, row, because, now)
    return force ? forget(tx, going, now) : going
  },
}
