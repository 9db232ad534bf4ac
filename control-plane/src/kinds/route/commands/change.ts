import type { routeUpdateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import { given } from '../../../resource/change.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { domainAtFirst, requireFreeDomain } from '../custom-domain.ts'
import { routeQueries } from '../queries.ts'
import { settleRoutes } from '../reconcile.ts'
import { type RouteRow, toRoute } from '../table.ts'
import { changeRouteStatus } from '../write.ts'
import { lockRouteForChange } from './lock.ts'

/** Changes where a route leads and whom it lets in; one that failed is tried again. */
export const changeRoute: Command<OnOne<z.output<typeof routeUpdateSchema>>, RouteRow> = {
  async run(tx, context, { reference, body }) {
    const { row, machine } = await lockRouteForChange(tx, context, reference)
    if (row.desired === 'delete') throw new HearthError('conflict', `route ${row.name} is being deleted`)
    const now = context.services.clock.now()
    const spec = { ...row.spec, ...given(body.spec) }
    const { id: routeId, organization_id: organizationId } = row
    await requireFreeDomain(tx, { domain: body.spec?.customDomain, organizationId, routeId })
    const changed = await routeQueries.changeSpec(tx, row.id, { labels: body.labels ?? row.labels, spec })
    await recordEvent(tx, 'updated', toRoute(changed))
    // It is ordered anew, and its deadline begins.
    const again = await changeRouteStatus(tx, changed, {
      ...{ phase: 'pending', deadline: null, now },
      status: { failure: null, domain: domainAtFirst(spec.customDomain, now) },
    })
    const [settled = again] = await settleRoutes(tx, machine, [again], now)
    return settled
  },
}

/** Takes a route away: nobody new is let in from then on, and who is in is cut off. */
export const deleteRoute: Command<OnOne<Force>, RouteRow> = {
  async run(tx, context, { reference }) {
    const { row, machine } = await lockRouteForChange(tx, context, reference)
    if (row.desired === 'delete') return row
    const now = context.services.clock.now()
    const unwanted = await routeQueries.changeSpec(tx, row.id, { desired: 'delete' })
    await recordEvent(tx, 'updated', toRoute(unwanted))
    const [settled] = await settleRoutes(tx, machine, [unwanted], now)
    // A runner that stays silent does not hold it.
    await wake(tx, 'route', machine.id)
    // One that no runner has is gone at once.
    return settled ?? unwanted
  },
}
