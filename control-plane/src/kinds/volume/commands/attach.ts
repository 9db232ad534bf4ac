import { type volumeAttachSchema, volumeLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { lockPlace } from '../../process/index.ts'
import { giveVolume } from '../change-holder.ts'
import { readVolumesOf, volumes } from '../queries.ts'
import type { VolumeRow } from '../table.ts'
import { requireNoCopyUnderWay, requireNoSnapshot, requirePresent, requireUnkept } from './lock.ts'

/**
 * Gives a volume to one machine. Under lock the row says which machine that is, so that of two requests one is refused. The
 * same request again changes nothing; where attaching had failed it is tried again.
 */
export const attachVolume: Command<OnOne<z.output<typeof volumeAttachSchema>>, VolumeRow> = {
  async run(tx, context, { reference, body: { environment, claim, mountPath: given } }) {
    const now = context.services.clock.now()
    const machine = await lockPlace(tx, context.caller, { environment, claim })
    const row = await volumes.lockForChange(tx, context, reference)
    const mountPath = given ?? row.spec.mountPath
    requirePresent(row)
    requireUnkept(row)
    requireNoSnapshot(row, 'attached')
    await requireFree(tx, row, machine)
    const isHere = row.environment_id === machine.id
    if (isHere && mountPath !== row.spec.mountPath)
      throw new HearthError(
        'conflict',
        `volume ${row.name} is mounted at ${row.spec.mountPath}: detach it before it is mounted elsewhere`,
      )
    if (isHere && row.phase !== 'failed') return row
    await requireFit(tx, row, machine)
    await requireNoCopyUnderWay(tx, row)
    await requireOwnPlace(tx, row, machine, mountPath)
    return giveVolume(tx, row, machine, mountPath, now)
  },
}

async function requireFree(tx: DatabaseTransaction, row: VolumeRow, machine: EnvironmentRow): Promise<void> {
  const { attachedTo } = row.status
  const holder = row.environment_id ?? attachedTo
  if (holder === null || holder === machine.id) return
  const name = await nameOf(tx, 'environments', holder)
  const state =
    row.environment_id === null
      ? `is still being detached from environment ${name}: attach it when it is available`
      : `is attached to environment ${name}: detach it first`
  throw new HearthError('conflict', `volume ${row.name} ${state}`)
}

/** Throws a conflict unless the volume is, or may be made, on the host of the machine. */
async function requireFit(tx: DatabaseTransaction, row: VolumeRow, machine: EnvironmentRow): Promise<void> {
  if (machine.runner_id === null)
    throw new HearthError(
      'conflict',
      `environment ${machine.name} is ${machine.phase} and has no host yet: attach volume ${row.name} when it has one`,
    )
  const runnerId = row.runner_id ?? row.spec.wantedRunnerId
  if (runnerId !== null && runnerId !== machine.runner_id) {
    const [its, other] = await Promise.all([
      nameOf(tx, 'runners', runnerId),
      nameOf(tx, 'runners', machine.runner_id),
    ])
    throw new HearthError(
      'conflict',
      `volume ${row.name} is on runner ${its}, and environment ${machine.name} on runner ${other}: a volume is attached to machines of its own host only`,
    )
  }
  if (row.runner_id !== null) return
  const runner = await tx
    .selectFrom('runners')
    .select(['name', 'labels'])
    .where('id', '=', machine.runner_id)
    .executeTakeFirstOrThrow()
  const lacks = Object.entries(row.spec.runnerSelector).find(([key, value]) => runner.labels[key] !== value)
  if (lacks === undefined) return
  throw new HearthError(
    'conflict',
    `volume ${row.name} is to be made on a runner with the label ${lacks.join('=')}, which runner ${runner.name} of environment ${machine.name} lacks`,
  )
}

/** Throws a conflict where another volume is mounted there, or the machine has as many as it may. */
async function requireOwnPlace(
  tx: DatabaseTransaction,
  row: VolumeRow,
  machine: EnvironmentRow,
  mountPath: string,
): Promise<void> {
  const others = (await readVolumesOf(tx, machine.id)).filter(({ id }) => id !== row.id)
  const inside = (path: string, place: string) => path === place || path.startsWith(`${place}/`)
  const other = others.find(
    ({ spec }) => inside(mountPath, spec.mountPath) || inside(spec.mountPath, mountPath),
  )
  if (other !== undefined)
    throw new HearthError(
      'conflict',
      `volume ${other.name} is mounted at ${other.spec.mountPath} in environment ${machine.name}: give volume ${row.name} another mount path`,
    )
  if (others.length < volumeLimits.ofEnvironment) return
  throw new HearthError(
    'conflict',
    `environment ${machine.name} has ${others.length} volumes, which is the most: detach one first`,
  )
}

async function nameOf(
  tx: DatabaseTransaction,
  table: 'environments' | 'runners',
  id: string,
): Promise<string> {
  const row = await tx.selectFrom(table).select('name').where('id', '=', id).executeTakeFirst()
  return row?.name ?? id
}
