import type { Command } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { makeAccessToken } from '../access/access-token.ts'
import { requireEntry } from '../access/entry.ts'
import { findEnvironment } from '../queries.ts'

/** A token with which somebody who has no other calls into this environment for an hour, as the caller could. */
export const createEnvironmentAccessToken: Command<OnOne, string> = {
  async run(tx, { services, caller }, { reference }) {
    const row = found(await findEnvironment(tx, caller, reference), 'environment', reference)
    await requireEntry(tx, caller, row)
    return makeAccessToken(services.encryption, row.id, caller, services.clock.now())
  },
}
