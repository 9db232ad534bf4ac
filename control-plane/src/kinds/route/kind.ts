import {
  idSchema,
  nameSchema,
  routeCreateSchema,
  routePhaseSchema,
  routeTicketSchema,
  routeTokenSchema,
  routeUpdateSchema,
  routeKind as words,
} from '@hearth/contract'
import { readers, writers } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeRoute, deleteRoute } from './commands/change.ts'
import { createRoute } from './commands/create.ts'
import { createRouteTicket } from './commands/ticket.ts'
import { createRouteToken } from './commands/token.ts'
import { closeToEndedTokens, lookAgain } from './housekeeping.ts'
import { routeQueries } from './queries.ts'
import { routeReconciler } from './reconcile.ts'
import { type RouteRow, toRoute } from './table.ts'
import { explainRoute } from './why-queries.ts'
import { routeWorkKind } from './work/kind.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: routeQueries.find,
  show: (_, row: RouteRow) => toRoute(row),
})
const change = { description: 'The route', roles: writers }

export const routeKind: Kind = {
  name: 'route',
  routes: [
    routes.list(
      { summary: 'List routes, of one environment or claim or of all', description: words.tag },
      {
        name: nameSchema.optional(),
        environmentId: idSchema.optional(),
        claimId: idSchema.optional(),
        phase: routePhaseSchema.optional(),
      },
      (queryable, { name, environmentId, claimId, phase, ...page }) =>
        routeQueries.list(queryable, page, {
          name,
          environment_id: environmentId,
          claim_id: claimId,
          phase,
        }),
    ),
    routes.create(
      { ...change, summary: 'Lead a host name to a port of a machine', body: routeCreateSchema },
      createRoute,
    ),
    routes.show({ summary: 'Show a route', description: 'The route' }),
    routes.update(
      {
        ...change,
        summary: 'Change the port or the access of a route; one that failed is tried again',
        body: routeUpdateSchema,
      },
      changeRoute,
    ),
    routes.remove({ ...change, summary: 'Delete a route', status: 202 }, deleteRoute),
    routes.action(
      'tickets',
      {
        summary: 'An address that lets the caller in, to be opened in a browser once and soon',
        description: 'The ticket',
        roles: readers,
        schema: routeTicketSchema,
        value: (ticket) => ticket,
      },
      createRouteTicket,
    ),
    routes.action(
      'token',
      {
        summary: 'Make the token of a route; the one before ends',
        description: 'The token, shown once',
        roles: writers,
        schema: routeTokenSchema,
        value: (token) => token,
      },
      createRouteToken,
    ),
    routes.why('Say in words why a route is as it is', (queryable, row) => explainRoute(queryable, row)),
  ],
  work: routeWorkKind,
  reconcilers: ({ quotas }) => [routeReconciler(quotas)],
  everyMinute: ({ database }) => lookAgain(database),
  whenTokensEnd: ({ database }) => closeToEndedTokens(database),
}
