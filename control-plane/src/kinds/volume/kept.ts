import { newId } from '@hearth/foundation'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { environments } from '../environment/index.ts'
import { insertVolume } from './change-holder.ts'
import { copyUnderWay } from './queries.ts'
import type { StoredVolumeSpec, VolumeRow } from './table.ts'

export interface NewKeptVolume {
  organizationId: string
  creator: string | null
  /** Its name goes on with the end of its own id, so that it is nobody else's. */
  nameStem: string
  mebibytes: number
  mountPath: string
  keptBy: NonNullable<StoredVolumeSpec['keptBy']>
}

/** Makes a volume that another resource keeps, and alone attaches and deletes; on the host of the first machine that gets it. */
export function makeKeptVolume(
  tx: DatabaseTransaction,
  { nameStem, mountPath, keptBy, ...made }: NewKeptVolume,
  now: Date,
): Promise<VolumeRow> {
  const id = newId()
  const anywhere = { runnerSelector: {}, wantedRunnerId: null, contentNumber: 0, force: false }
  return insertVolume(
    tx,
    {
      ...{
        ...made,
        id,
        name: `${nameStem}-${id.slice(-12)}`,
        labels: {},
        isSnapshot: false,
        sourceId: null,
        phase: 'unplaced',
      },
      spec: { ...anywhere, mountPath, keptBy },
    },
    now,
  )
}

/** What keeps a machine from being given a volume that is kept, as what is waited for; null where nothing does. */
export async function readHindrance(
  queryable: Queryable,
  { id, environment_id, phase, status }: VolumeRow,
  machineId: string,
): Promise<string | null> {
  const holder = environment_id ?? status.attachedTo
  const isHeld = holder !== null && holder !== machineId
  // One that could not be taken out of a machine that is gone is tried again with the next.
  if (isHeld && !(phase === 'failed' && (await isGone(queryable, holder))))
    return 'its volume to be taken out of its last machine'
  return readCopyUnderWay(queryable, id)
}

/** The copy that is being made from a volume, as what is waited for; null where none is. */
export async function readCopyUnderWay(queryable: Queryable, id: string): Promise<string | null> {
  const copy = await copyUnderWay(queryable, id)
  return copy === undefined ? null : `volume ${copy.name} to be made from its volume`
}

async function isGone(queryable: Queryable, environmentId: string): Promise<boolean> {
  const machine = await environments.readById(queryable, environmentId)
  return machine === undefined || machine.phase === 'deleted'
}
