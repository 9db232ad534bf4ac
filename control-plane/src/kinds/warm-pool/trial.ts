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
 * Creates one environment on a degraded runner whose pause is over. Returns false, and creates none, when no such
 * runner fits, when other environments wait for a runner, or while another transaction is placing.
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
  const { runnerId } = place(
    { ...environmentClass.spec, image, ...size, awaited: false, source: null, runnerId: null, needs: null },
    fleet,
  )
  if (fleet.find(({ id }) => id === runnerId)?.phase !== 'degraded') return false
  const rows = await createEnvironments(tx, created, 1)
  return placeAtOnce(tx, rows, environmentClass.spec, now)
}
