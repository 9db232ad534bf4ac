import type { DatabaseTransaction } from '../../database/connection.ts'
import { place } from '../../placement/place.ts'
import {
  buildPlan,
  createEnvironments,
  type NewEnvironment,
  placeAtOnce,
  readFleet,
  tryLockPlacement,
} from '../environment/index.ts'

/**
 * Makes one machine on a degraded runner whose pause is over; false, and nothing made, when none would take it, when
 * others wait for a runner, or when somebody else is placing at this moment.
 */
export async function createOnTrial(
  tx: DatabaseTransaction,
  created: NewEnvironment & { limits: null },
): Promise<boolean> {
  const { project, environmentClass, owner, now } = created
  const organizationId = project.organization_id
  if (!(await tryLockPlacement(tx, organizationId, []))) return false
  const { image, virtualCpus, memoryMebibytes, diskGibibytes } = buildPlan(
    project.spec,
    environmentClass.spec,
    owner,
  )
  const size = { virtualCpus, memoryMebibytes, diskGibibytes }
  const fleet = await readFleet(tx, organizationId, now)
  const { runnerId } = place({ ...environmentClass.spec, image, ...size, awaited: false }, fleet)
  if (fleet.find(({ id }) => id === runnerId)?.phase !== 'degraded') return false
  const rows = await createEnvironments(tx, created, 1)
  return placeAtOnce(tx, rows, environmentClass.spec, now)
}
