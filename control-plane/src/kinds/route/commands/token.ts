import { createHash, randomBytes } from 'node:crypto'
import { type RouteToken, routeTokenPrefix, tokenParameter } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { routeQueries } from '../queries.ts'
import { toRoute, urlOf } from '../table.ts'
import { orderRoute } from '../write.ts'
import { lockRouteForChange } from './lock.ts'

/** Makes the token of a route, whose secret is in this outcome alone; one that it had before is of no use any more. */
export const createRouteToken: Command<OnOne, RouteToken> = {
  async run(tx, context, { reference }) {
    const { row } = await lockRouteForChange(tx, context, reference)
    if (row.desired === 'delete') throw new HearthError('conflict', `route ${row.name} is being deleted`)
    if (row.spec.access !== 'token')
      throw new HearthError(
        'conflict',
        `route ${row.name} is ${row.spec.access}: change its access to token, then make its token`,
      )
    const token = `${routeTokenPrefix}${randomBytes(32).toString('base64url')}`
    const changed = await routeQueries.changeStatus(tx, row.id, {
      token_hash: createHash('sha256').update(token).digest(),
    })
    await recordEvent(tx, 'updated', toRoute(changed))
    await orderRoute(tx, row, changed)
    const url = urlOf(changed)
    return { token, url: url === null ? null : `${url}/?${tokenParameter}=${token}` }
  },
}
