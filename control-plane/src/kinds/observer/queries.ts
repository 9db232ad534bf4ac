import { newId } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { ObserverRow } from './table.ts'

export const observers = resourceQueries('observers', { noun: 'observer', names: 'shared' })

export async function insertObserver(
  tx: DatabaseTransaction,
  observer: {
    organizationId: string
    creator: string
    name: string
    unacknowledged: number
    expiresAt: Date
  },
): Promise<ObserverRow> {
  return tx
    .insertInto('observers')
    .values({
      id: newId(),
      organization_id: observer.organizationId,
      creator: observer.creator,
      name: observer.name,
      unacknowledged: observer.unacknowledged,
      expires_at: observer.expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function extendObserver(
  tx: DatabaseTransaction,
  id: string,
  expiresAt: Date,
): Promise<ObserverRow> {
  return tx
    .updateTable('observers')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Every observer, and whether its time is over or nobody holds a token of its creator any more. */
export async function observersToKeep(
  database: Database,
  now: Date,
): Promise<(ObserverRow & { ended: boolean })[]> {
  return database
    .selectFrom('observers')
    .selectAll()
    .select((expression) =>
      expression
        .or([
          expression('expires_at', '<=', now),
          expression.not(
            expression.exists(
              expression
                .selectFrom('tokens')
                .select('tokens.id')
                .whereRef('tokens.principal_id', '=', 'observers.creator')
                .where((token) =>
                  token.or([token('tokens.expires_at', 'is', null), token('tokens.expires_at', '>', now)]),
                ),
            ),
          ),
        ])
        .$castTo<boolean>()
        .as('ended'),
    )
    .execute()
}
