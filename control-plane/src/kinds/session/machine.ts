import type { Queryable } from '../../database/connection.ts'
import type { SeenMachine } from './decide.ts'
import type { SessionRow } from './table.ts'

/** The machine that a session is about, directly or by its claim. */
export interface MachineSight {
  /** null while its claim has none. */
  environmentId: string | null
  seen: SeenMachine
}

/** null for a session that is about no machine. */
export async function readMachine(
  queryable: Queryable,
  { claim_id, environment_id }: Pick<SessionRow, 'claim_id' | 'environment_id'>,
): Promise<MachineSight | null> {
  if (claim_id === null) return environment_id === null ? null : readEnvironment(queryable, environment_id)
  const claim = await queryable
    .selectFrom('claims')
    .select(['phase', 'environment_id', 'status'])
    .where('id', '=', claim_id)
    .executeTakeFirst()
  if (claim === undefined) return unusable('its claim is gone')
  switch (claim.phase) {
    case 'released':
      return unusable('its claim was released')
    case 'failed':
      return unusable(claim.status.failure?.message ?? 'its claim has failed')
    case 'pending':
    case 'bound':
      return claim.environment_id === null
        ? { environmentId: null, seen: { error: null } }
        : readEnvironment(queryable, claim.environment_id)
  }
}

async function readEnvironment(queryable: Queryable, id: string): Promise<MachineSight> {
  const row = await queryable
    .selectFrom('environments')
    .select(['phase', 'desired_phase', 'status'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined || row.phase === 'deleted') return unusable('it is gone')
  if (row.desired_phase === 'deleted') return { environmentId: id, seen: { error: 'it is being deleted' } }
  const error = row.phase === 'failed' ? (row.status.failure?.message ?? 'it has failed') : null
  return { environmentId: id, seen: { error } }
}

const unusable = (error: string): MachineSight => ({ environmentId: null, seen: { error } })
