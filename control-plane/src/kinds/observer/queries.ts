import { newId } from '@hearth/foundation'

import type { Database, DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { ObserverRow } from './table.ts'

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

export async function findObserver(
  queryable: Queryable,
  organizationId: string,
  id: string,
): Promise<ObserverRow | undefined> {
  return queryable
    .selectFrom('observers')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** The same under lock, so that it is not renewed while it is deleted, nor the other way round. */
export async function lockObserver(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
): Promise<ObserverRow | undefined> {
  return tx
    .selectFrom('observers')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

export async function listObservers(
  database: Database,
  filter: { organizationId: string; limit: number; after?: string | undefined },
): Promise<ObserverRow[]> {
  let query = database
    .selectFrom('observers')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return query.execute()
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

export async function deleteObserver(queryable: Queryable, id: string): Promise<void> {
  await queryable.deleteFrom('observers').where('id', '=', id).execute()
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
