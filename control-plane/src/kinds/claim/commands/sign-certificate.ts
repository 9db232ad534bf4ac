import type { Connection, certificateRequestSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import { mayEnter } from '../../../api/caller.ts'
import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { connect } from '../connect.ts'
import { claims } from '../queries.ts'

/** Signs another certificate for a claim, for the same key or another. */
export const signClaimCertificate: Command<OnOne<z.output<typeof certificateRequestSchema>>, Connection> = {
  async run(tx, { services, caller }, { reference, body: { publicKey } }) {
    const row = await claims.get(tx, caller, reference)
    if (!mayEnter(caller, row.creator)) {
      throw new HearthError(
        'forbidden',
        `claim ${row.name} is someone else’s: only they and administrators enter it`,
      )
    }
    const connection = await connect(services, tx, row, caller.principalId, publicKey)
    if (connection !== null) return connection
    const phase = row.phase === 'bound' ? 'being released' : row.phase
    throw new HearthError('conflict', `claim ${row.name} is ${phase}: there is nothing to connect to`)
  },
}
