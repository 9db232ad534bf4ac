import type { DatabaseTransaction } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { SpaceRow } from './table.ts'

export const spaces = resourceQueries('spaces', { noun: 'space', names: 'unique' })

/** The spaces of a web app, always locked in the same order; the environment must be locked before. */
export async function lockSpacesOf(tx: DatabaseTransaction, webAppId: string): Promise<SpaceRow[]> {
  return tx
    .selectFrom('spaces')
    .selectAll()
    .where('web_app_id', '=', webAppId)
    .orderBy('id')
    .forUpdate()
    .execute()
}
