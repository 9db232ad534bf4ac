import type { volumeCreateSchema, volumeSnapshotSchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Caller } from '../../../api/caller.ts'
import type { Command, CommandContext } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { requireResource } from '../../quota/index.ts'
import { runners } from '../../runner/index.ts'
import { insertVolume } from '../change-holder.ts'
import { volumes } from '../queries.ts'
import { settleVolume } from '../reconcile.ts'
import type { StoredVolumeSpec, VolumeRow } from '../table.ts'
import { requirePresent } from './lock.ts'

const defaultMebibytes = 10_240

/** Makes a volume: an empty one, or a copy of another on the same host. */
export const createVolume: Command<z.output<typeof volumeCreateSchema>, VolumeRow> = {
  async run(tx, context, { name, labels, spec }) {
    const { caller } = context
    const source = spec.from === undefined ? null : await lockSource(tx, caller, spec.from)
    const runnerId = spec.runner === undefined ? null : (await runners.get(tx, caller, spec.runner)).id
    if (source !== null && runnerId !== null && runnerId !== source.runner_id)
      throw new HearthError(
        'conflict',
        `volume ${source.name} is on another host: a copy of it is made where it is, so leave the runner out`,
      )
    return insert(tx, context, {
      ...{ name, labels, source, isSnapshot: false },
      mebibytes: sizeOf(spec.sizeMebibytes, source),
      mountPath: spec.mountPath ?? `/volumes/${name}`,
      runnerSelector: source === null ? spec.runnerSelector : {},
      wantedRunnerId: source?.runner_id ?? runnerId,
    })
  },
}

/** Makes an immutable copy of a volume, of which others can be made. */
export const snapshotVolume: Command<OnOne<z.output<typeof volumeSnapshotSchema>>, VolumeRow> = {
  async run(tx, context, { reference, body: { name, labels } }) {
    const source = await lockSource(tx, context.caller, reference)
    return insert(tx, context, {
      ...{ name, labels, source, isSnapshot: true, runnerSelector: {} },
      mebibytes: source.size_mebibytes,
      mountPath: source.spec.mountPath,
      wantedRunnerId: source.runner_id,
    })
  },
}

interface Wanted extends Pick<StoredVolumeSpec, 'mountPath' | 'runnerSelector' | 'wantedRunnerId'> {
  name: string
  labels: Record<string, string>
  mebibytes: number
  source: VolumeRow | null
  isSnapshot: boolean
}

async function insert(
  tx: DatabaseTransaction,
  { caller, services }: CommandContext,
  { name, labels, mebibytes, source, isSnapshot, ...wanted }: Wanted,
): Promise<VolumeRow> {
  const now = services.clock.now()
  const { organizationId, principalId: creator, limits } = caller
  await requireResource(tx, organizationId, limits, 'volumes')
  const isAnywhere = wanted.wantedRunnerId === null && Object.keys(wanted.runnerSelector).length === 0
  const row = await insertVolume(
    tx,
    {
      ...{ organizationId, creator, name, labels, mebibytes, isSnapshot },
      sourceId: source?.id ?? null,
      spec: { ...wanted, contentNumber: 0, force: false },
      phase: isAnywhere ? 'unplaced' : 'pending',
    },
    now,
  )
  return (await settleVolume(tx, row, undefined, now)) ?? row
}

/** A volume that can be copied now, under lock. */
async function lockSource(tx: DatabaseTransaction, caller: Caller, reference: string): Promise<VolumeRow> {
  const row = found(await volumes.lock(tx, caller, reference), 'volume', reference)
  requirePresent(row)
  if (row.phase === 'available') return row
  const state =
    row.phase === 'unplaced'
      ? 'was never attached, and holds nothing to copy'
      : row.environment_id === null
        ? `is ${row.phase}: it can be copied when it is available`
        : 'is attached to a machine, which may write to it: detach it first'
  throw new HearthError('conflict', `volume ${row.name} ${state}`)
}

function sizeOf(given: number | undefined, source: VolumeRow | null): number {
  const least = source?.size_mebibytes ?? 0
  if (given !== undefined && given < least)
    throw invalidValue({
      field: 'body.spec.sizeMebibytes',
      given: String(given),
      expected: `at least ${least}, the size of the volume that it is made from`,
    })
  return given ?? source?.size_mebibytes ?? defaultMebibytes
}
