import type { Command } from '../../../api/command.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { forgetSession } from '../change.ts'
import { sessions } from '../queries.ts'
import type { SessionRow } from '../table.ts'

/** Forgets a session, in any phase. What it is about goes on. */
export const deleteSession: Command<OnOne<Force>, SessionRow> = {
  async run(tx, context, { reference }) {
    return forgetSession(tx, await sessions.lockForChange(tx, context, reference))
  },
}
