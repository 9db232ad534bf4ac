import type { LogToken } from '@hearth/contract'
import type { Command } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import { makeLogToken } from '../../../api/open-log/token.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { findEnvironment } from '../queries.ts'

/** A token with which somebody who has no other reads the logs of this environment and of what runs in it for an hour. */
export const createEnvironmentLogToken: Command<OnOne, LogToken> = {
  async run(tx, { services, caller }, { reference }) {
    const { id } = found(await findEnvironment(tx, caller, reference), 'environment', reference)
    const { token, expiresAt } = makeLogToken(
      services.encryption,
      { kind: 'environment', id },
      services.clock.now(),
    )
    return { token, expiresAt: expiresAt.toISOString(), path: `/v1/environments/${id}/log?token=${token}` }
  },
}
