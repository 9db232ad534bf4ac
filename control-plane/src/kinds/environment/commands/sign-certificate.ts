import type { Connection, certificateRequestSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { certificateSeconds, connectionTo } from '../access/connection.ts'
import { enter } from '../access/enter.ts'

/**
 * Signs a certificate for an environment, whatever its phase, as long as its guest has an address. A claimed
 * environment opens for its claimant and administrators, an owned one for those that its owner's rules admit. One that
 * a claim could still get leaves its owner in the same transaction: a certificate cannot be revoked and outlives a
 * claim by hours. For an environment that is kept for a limited time, asking extends that time, and the certificate
 * ends with it, so that whoever comes back asks again.
 */
export const signEnvironmentCertificate: Command<
  OnOne<z.output<typeof certificateRequestSchema>>,
  Connection
> = {
  async run(tx, { services, caller }, { reference, body: { publicKey } }) {
    const now = services.clock.now()
    const kept = await enter(tx, caller, reference, now, ({ name, phase, status }) => {
      if (status.address === null)
        throw new HearthError('conflict', `environment ${name} is ${phase} and has no address yet`)
    })
    const { address } = kept.status
    if (address === null) throw new Error('an environment lost its address while it was locked')
    const authority = await services.authorities.of(tx, kept.organization_id)
    const signedFor = {
      publicKey,
      keyId: `environment:${kept.id} principal:${caller.principalId}`,
    }
    const seconds = Math.min(certificateSeconds, kept.keep_seconds ?? certificateSeconds)
    return connectionTo(authority, { id: kept.id, address }, signedFor, now, seconds)
  },
}
