import type { Failure, WebAppPhase } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import type { AppParts } from './guest/index.ts'

/** What spaces and deployments need to know of their web app. */
export interface AppFacts {
  id: string
  name: string
  phase: WebAppPhase
  failure: Failure | null
  parts: AppParts
}

export async function readAppFacts(queryable: Queryable, webAppId: string): Promise<AppFacts> {
  const { id, name, phase, status, spec } = await queryable
    .selectFrom('web_apps')
    .select(['id', 'name', 'phase', 'status', 'spec'])
    .where('id', '=', webAppId)
    .executeTakeFirstOrThrow()
  const { runtime, database, cache } = spec
  return { id, name, phase, failure: status.failure, parts: { runtime, database, cache } }
}
