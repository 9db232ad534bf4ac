import type { Claim, InstanceState, WarmPoolInstance } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import {
  type EnvironmentRow,
  environmentColumns,
  type PlannedEnvironmentRow,
  toEnvironment,
  toListedEnvironment,
} from '../environment/index.ts'
import { instanceState } from './instance-state.ts'

/** An environment made for a pool, with its state in the pool. */
export type InstanceRow = PlannedEnvironmentRow & InstanceColumns
/** The same without its plan, for lists. */
export type ListedInstanceRow = EnvironmentRow & InstanceColumns

interface InstanceColumns {
  state: InstanceState
  claimed_at: Date | null
  claim_status: Pick<Claim['status'], 'source'> | null
}

export interface InstanceFilter {
  poolId: string
  /** Only environments that test the pool's steps. */
  testsOnly?: boolean
  /** By default all but removed ones. */
  state?: InstanceState | undefined
  after?: string | undefined
  limit: number
}

/** Members, claimed ones, tests and inspected ones, the oldest first. */
export async function listInstances(
  queryable: Queryable,
  filter: InstanceFilter,
): Promise<ListedInstanceRow[]> {
  let query = instancesOf(queryable, filter.poolId)
    .select(environmentColumns.map((column) => `environments.${column}` as const))
    .orderBy('environments.id')
    .limit(filter.limit + 1)
  if (filter.state === undefined) query = query.where('environments.phase', '<>', 'deleted')
  else query = query.where(instanceState, '=', filter.state)
  if (filter.testsOnly === true) query = query.where('owner_kind', '=', 'warm-pool-test')
  if (filter.after !== undefined) query = query.where('environments.id', '>', filter.after)
  return query.execute()
}

/** One of them, also when it is removed, for as long as its record is kept. */
export async function findInstance(
  queryable: Queryable,
  poolId: string,
  id: string,
): Promise<InstanceRow | undefined> {
  return instancesOf(queryable, poolId)
    .selectAll('environments')
    .where('environments.id', '=', id)
    .executeTakeFirst()
}

function instancesOf(queryable: Queryable, poolId: string) {
  return queryable
    .selectFrom('environments')
    .leftJoin('claims', 'claims.id', 'environments.claim_id')
    .select([instanceState.as('state'), 'claims.created_at as claimed_at', 'claims.status as claim_status'])
    .where('owner_kind', 'in', ['warm-pool', 'warm-pool-test', 'warm-pool-inspection'])
    .where('owner_id', '=', poolId)
}

/** `configuration` is what the pool makes now. */
export function toInstance(row: InstanceRow | ListedInstanceRow, configuration: string): WarmPoolInstance {
  return {
    state: row.state,
    purpose: purposeOf(row),
    current: row.configuration === configuration,
    claimedAt: row.claimed_at?.toISOString() ?? null,
    environment: 'spec' in row ? toEnvironment(row) : toListedEnvironment(row),
  }
}

function purposeOf({ owner_kind, claim_status }: ListedInstanceRow): WarmPoolInstance['purpose'] {
  switch (owner_kind) {
    case 'warm-pool-test':
      return 'test'
    case 'warm-pool-inspection':
      return 'inspection'
    case 'warm-pool':
    case 'prebuild':
    case 'pipeline':
    case null:
      return claim_status?.source === 'cold' || claim_status?.source === 'resumable' ? 'claim' : 'pool'
    default:
      return assertNever(owner_kind)
  }
}
