import { HearthError } from '@hearth/foundation'
import {
  type HeldEnvironment,
  type PlannedEnvironmentRow,
  searchEnvironments,
  toEnvironment,
  withPlan,
} from '../../../kinds/environment/index.ts'
import { readRoutesOf } from '../../../kinds/route/index.ts'
import { toOnaEnvironment } from '../translate/environment.ts'
import type { Call, Queryable } from '../wire/call.ts'

type Held = HeldEnvironment | (HeldEnvironment & PlannedEnvironmentRow)

export async function shownEnvironment(queryable: Queryable, row: Held, call: Call) {
  const environment = toEnvironment('spec' in row ? row : await withPlan(queryable, row))
  const routes = row.has_routes ? await readRoutesOf(queryable, call.caller, row.id) : []
  return toOnaEnvironment({ environment, heldBy: row.held_by, routes }, call)
}

/** Throws `not_found` where the organization has no such environment. */
export async function findHeldEnvironment(
  queryable: Queryable,
  { caller: { organizationId } }: Call,
  id: string,
): Promise<HeldEnvironment> {
  const [row] = await searchEnvironments(queryable, { organizationId, limit: 1 }, { ids: [id], whose: 'all' })
  if (row === undefined) throw new HearthError('not_found', `there is no environment ${id}`)
  return row
}
