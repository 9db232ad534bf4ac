import {
  observerAccessSchema,
  observerCreateSchema,
  observerRenewSchema,
  observerKind as words,
} from '@hearth/contract'
import { readers } from '../../api/caller.ts'
import { idOrSharedNameParams } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { accessOf } from './access.ts'
import { createObserver, deleteObserver, renewObserver } from './commands.ts'
import { keepObservers, removeEndedObservers, rewindObservers } from './keep.ts'
import { observers } from './queries.ts'
import { type ObserverRow, toObserver } from './table.ts'

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: observers.find,
  show: (_, row) => toObserver(row),
})
const access = {
  description: 'The observer and how it reads',
  roles: readers,
  schema: observerAccessSchema,
  value: ({ row }: { row: ObserverRow }, _: unknown, services: Services) => accessOf(services, row),
}

export const observerKind: Kind = {
  name: 'observer',
  routes: [
    routes.list({ summary: 'List observers', description: 'Observers' }, {}, (queryable, page) =>
      observers.list(queryable, page),
    ),
    routes.create(
      {
        ...access,
        summary: 'Make a way to read one’s organization’s events from NATS; the answer holds its credentials',
        body: observerCreateSchema,
      },
      createObserver,
    ),
    routes.show({ summary: 'Show an observer, without its credentials', description: 'The observer' }),
    routes.action(
      'credentials',
      {
        ...access,
        summary:
          'New credentials for an observer, which goes on where it is; for who made it, and administrators',
        body: observerRenewSchema,
      },
      renewObserver,
    ),
    routes.remove(
      {
        summary: 'Delete an observer: its credentials reach nothing from then on',
        description: 'The observer as it was',
        roles: readers,
      },
      deleteObserver,
    ),
  ],
  whenNatsReturns: ({ database, messaging, clock, log }) => keepObservers(database, messaging, clock, log),
  whenEventsGoBack: ({ database, messaging, clock }, end) => rewindObservers(database, messaging, clock, end),
  whenTokensEnd: ({ database, messaging, clock, log }) =>
    removeEndedObservers(database, messaging, clock, log),
  everyMinute: ({ database, messaging, clock, log }) => keepObservers(database, messaging, clock, log),
}
