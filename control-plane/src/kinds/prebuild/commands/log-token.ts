import { type LogToken, prebuildKind } from '@hearth/contract'
import type { Command } from '../../../api/command.ts'
import { makeLogToken } from '../../../api/open-log/token.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { prebuilds } from '../queries.ts'

/** A token with which somebody who has no other reads the log of this prebuild for an hour. */
export const createLogToken: Command<OnOne, LogToken> = {
  async run(tx, { services, caller }, { reference }) {
    const { id } = await prebuilds.get(tx, caller, reference)
    const { token, expiresAt } = makeLogToken(
      services.encryption,
      { kind: 'prebuild', id },
      services.clock.now(),
    )
    const path = `${prebuildKind.path}/${id}/log?token=${token}`
    return { token, expiresAt: expiresAt.toISOString(), path }
  },
}
