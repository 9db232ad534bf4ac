import type { Connection, certificateRequestSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { certificateSeconds, connectionTo } from '../access/connection.ts'
import { requireEntry } from '../access/entry.ts'
import { changeOwner } from '../lifecycle/change-owner.ts'
import { keepLonger } from '../lifecycle/keep.ts'
import { rulesFor } from '../owner-rules.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'

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
    // Locked from here on: a claim and a certificate for the same environment cannot happen at once.
    const row = found(await environments.lock(tx, caller, reference), 'environment', reference)
    await requireEntry(tx, caller, row)
    const { address } = row.status
    if (address === null)
      throw new HearthError('conflict', `environment ${row.name} is ${row.phase} and has no address yet`)
    if (row.desired_phase === 'deleted') {
      const what = rulesFor(row)?.noun ?? 'environment'
      throw new HearthError('conflict', `${what} ${row.name} is over: its environment is being removed`)
    }
    const kept = await keptFor(tx, row, now)
    const authority = await services.authorities.of(tx, row.organization_id)
    const signedFor = {
      publicKey,
      keyId: `environment:${row.id} principal:${caller.principalId}`,
    }
    const seconds = Math.min(certificateSeconds, kept.keep_seconds ?? certificateSeconds)
    return connectionTo(authority, { id: row.id, address }, signedFor, now, seconds)
  },
}

/** Changes the environment's owner, or extends its time, when somebody is let in. */
async function keptFor(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<EnvironmentRow> {
  const heir = row.claim_id === null ? (rulesFor(row)?.afterEntry ?? null) : null
  if (heir === null) return keepLonger(tx, row, now)
  return changeOwner(tx, row, { kind: heir, keepSeconds: certificateSeconds }, now)
}
