import { createPrivateKey, sign } from 'node:crypto'
import {
  enterPath,
  type RouteTicket,
  routeTicketSeconds,
  signedText,
  type TicketClaims,
} from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { noteEntry, routeQueries } from '../queries.ts'
import { urlOf } from '../table.ts'

/** Makes an address that lets a member of the organization in: signed with the key of this route alone. */
export const createRouteTicket: Command<OnOne, RouteTicket> = {
  async run(tx, { services, caller }, { reference }) {
    const row = found(await routeQueries.find(tx, caller, reference), 'route', reference)
    const url = urlOf(row)
    if (url === null || row.desired === 'delete' || row.phase === 'failed')
      throw new HearthError(
        'conflict',
        `route ${row.name} is ${row.phase}: it has no address that could be opened`,
      )
    const now = Math.floor(services.clock.now().getTime() / 1000)
    const token = await tx
      .selectFrom('tokens')
      .select('expires_at')
      .where('id', '=', caller.tokenId)
      .executeTakeFirst()
    const ends = token?.expires_at == null ? Number.POSITIVE_INFINITY : token.expires_at.getTime() / 1000
    const claims: TicketClaims = {
      id: newId(),
      routeId: row.id,
      tokenId: caller.tokenId,
      expiresAt: now + routeTicketSeconds.ticket,
      sessionEndsAt: Math.floor(Math.min(now + routeTicketSeconds.session, ends)),
    }
    const sessionEndsAt = new Date(claims.sessionEndsAt * 1000)
    await noteEntry(tx, row.id, caller.tokenId, sessionEndsAt)
    const key = createPrivateKey(services.encryption.decrypt(row.signing_key, row.id))
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    const signature = sign(null, Buffer.from(signedText(payload)), key).toString('base64url')
    return {
      url: `${url}${enterPath}?ticket=${payload}.${signature}`,
      expiresAt: new Date(claims.expiresAt * 1000).toISOString(),
      sessionEndsAt: sessionEndsAt.toISOString(),
    }
  },
}
