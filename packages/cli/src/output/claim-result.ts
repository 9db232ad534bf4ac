import { configurationFile } from '../ssh/access.ts'
import { sshAlias } from '../ssh/configuration.ts'
import { shellQuote } from '../ssh/quote.ts'
import type { TakenClaim } from '../ssh/take-claim.ts'

/** A claim that was taken, for programs. */
export function claimResult({ claim, access, milliseconds }: TakenClaim, folder: string) {
  const { id, name } = claim.metadata
  return {
    id,
    name,
    phase: claim.status.phase,
    environmentId: claim.status.environmentId,
    source: claim.status.source,
    address: access?.connection.address ?? null,
    expiresAt: access?.connection.expiresAt ?? null,
    ssh: access === null ? null : `ssh -F ${shellQuote(configurationFile(folder, id))} ${sshAlias}`,
    milliseconds: Math.round(milliseconds * 10) / 10,
  }
}
