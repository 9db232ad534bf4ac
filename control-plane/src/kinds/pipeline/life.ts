import { type PipelineError, volumeLimits } from '@hearth/contract'
import { assertNever, newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { MachineNeeds } from '../../placement/place.ts'
import { wantCopy } from '../snapshot/index.ts'
import { giveUpVolume, giveVolume, makeKeptVolume, type VolumeRow, volumes } from '../volume/index.ts'
import type { Given } from './compile.ts'
import type { PipelineAction } from './decide.ts'
import { lookAtCopy, provisioningSecondsOf, wishFor } from './look.ts'
import { makeMachine, returnMachine } from './machine.ts'
import { readWork, runService } from './processes.ts'
import { processOf, type Scene } from './scene.ts'
import type { PipelineRow } from './table.ts'
import { pipelineVolumeFolder } from './toolchain/index.ts'
import { changePipelineRow, noteWork } from './write.ts'

/** Of a volume whose pipeline does not say; it takes of its host what is written. */
const usualMebibytes = 10_240

/** Carries out one step of a pipeline's life; the row as it is then. */
export async function carryOutLife(
  tx: DatabaseTransaction,
  row: PipelineRow,
  action: PipelineAction,
  scene: Scene,
  given: Given,
): Promise<PipelineRow> {
  const { now, volume, machine } = scene
  switch (action.do) {
    case 'delete-volume':
      if (volume !== null) await giveUpVolume(tx, volume, true, now)
      return row
    case 'storage-is-cleared':
      return changePipelineRow(tx, row, {
        ...{ storage: 'cleared', volume_id: null, now },
        status: { storageDetails: null },
      })
    case 'refuse-start':
      return changePipelineRow(tx, row, { ...startOver(row), status: { error: action.error }, now })
    case 'provision':
      return provision(tx, row, scene)
    case 'copy':
      await copy(tx, scene)
      return row
    case 'make-machine':
      return makeRunMachine(tx, row, scene, given)
    case 'attach':
      if (volume !== null && machine !== null)
        await giveVolume(tx, volume, machine, pipelineVolumeFolder, now)
      return row
    case 'run':
      return run(tx, row, scene)
    case 'be-provisioned':
      return changePipelineRow(tx, row, {
        ...{ resources: 'provisioned', runtime: 'initializing', deadline: null, now },
        desired_runtime: row.spec.initial ?? 'running',
      })
    case 'show':
      return changePipelineRow(tx, row, {
        ...{ runtime: action.runtime, now },
        status: { runtimeDetails: action.details },
      })
    case 'tell': {
      const service = processOf(scene, 'run')
      if (service !== undefined) await scene.kept?.tell(service, wishFor(row))
      return row
    }
    case 'stop':
      return stop(tx, row, action.error, now)
    case 'return-machine':
      await returnMachine(tx, row, now)
      return row
    case 'be-stopped':
      return changePipelineRow(tx, row, { resources: 'stopped', environment_id: null, now })
    default:
      return assertNever(action)
  }
}

/** What was asked of it with its start is over. */
const startOver = (row: PipelineRow) =>
  ({
    desired: 'stopped',
    desired_runtime: null,
    spec: { ...row.spec, initial: null, bootstrapPolicy: null },
  }) as const

async function provision(tx: DatabaseTransaction, row: PipelineRow, scene: Scene): Promise<PipelineRow> {
  const { now } = scene
  if (row.volume_id !== null) await copyAgain(tx, scene, row.volume_id)
  const volume_id = row.volume_id ?? (await makeVolume(tx, row, now))
  return changePipelineRow(tx, row, {
    ...{ resources: 'provisioning', storage: 'in_use', volume_id, now },
    deadline: new Date(now.getTime() + provisioningSecondsOf(row) * 1000),
    status: { deployment: { id: newId(), environmentId: null } },
    work: { waitsFor: null },
  })
}

async function makeVolume(tx: DatabaseTransaction, row: PipelineRow, now: Date): Promise<string> {
  const wanted = row.spec.runtime.storageMebibytes ?? usualMebibytes
  const { id } = await makeKeptVolume(
    tx,
    {
      ...{ organizationId: row.organization_id, creator: row.creator },
      nameStem: 'pipeline',
      mebibytes: Math.max(wanted, volumeLimits.leastMebibytes),
      mountPath: pipelineVolumeFolder,
      keptBy: { kind: 'Pipeline', id: row.id },
    },
    now,
  )
  return id
}

/** A copy that was given up is begun anew with each start, which is the only way out that loses nothing. */
async function copyAgain(tx: DatabaseTransaction, scene: Scene, volumeId: string): Promise<void> {
  const volume = (await volumes.readById(tx, volumeId)) ?? null
  const { state } = await lookAtCopy(tx, { ...scene, volume })
  const { snapshot, now } = scene
  const runnerId = volume?.runner_id ?? null
  if (state === 'failed' && snapshot !== null && runnerId !== null)
    await wantCopy(tx, { snapshotId: snapshot.id, runnerId, again: true }, now)
}

async function copy(tx: DatabaseTransaction, { snapshot, volume, now }: Scene): Promise<void> {
  const runnerId = volume?.runner_id ?? null
  if (snapshot !== null && runnerId !== null) await wantCopy(tx, { snapshotId: snapshot.id, runnerId }, now)
}

async function makeRunMachine(
  tx: DatabaseTransaction,
  row: PipelineRow,
  { snapshot, volume, now }: Scene,
  { quotas }: Given,
): Promise<PipelineRow> {
  if (snapshot === null) throw new Error(`pipeline ${row.id} has nothing that was compiled`)
  const source = { snapshot, runnerId: volume?.runner_id ?? null }
  const made = await makeMachine(tx, row, source, { quotas, needs: needsToRun(volume), now })
  if ('waitsFor' in made) return noteWork(tx, row, { waitsFor: made.waitsFor })
  const deployment = { id: row.status.deployment?.id ?? newId(), environmentId: made.id }
  return changePipelineRow(tx, row, {
    ...{ environment_id: made.id, now },
    status: { deployment },
    work: { waitsFor: null },
  })
}

/** A volume that no runner has yet is made on the host of this machine. */
const needsToRun = (volume: VolumeRow | null): MachineNeeds => ({
  work: ['process', 'volume'],
  volumeMebibytes: volume?.runner_id === null ? volume.size_mebibytes : 0,
  bringsInputs: true,
})

async function run(tx: DatabaseTransaction, row: PipelineRow, { kept, now }: Scene): Promise<PipelineRow> {
  const { program, toolchain } = await readWork(tx, row)
  if (kept === null) throw new Error(`pipeline ${row.id} has no machine to run in`)
  const failure = await kept.make([runService(row, wishFor(row), toolchain.run(program))])
  await kept.settle()
  if (failure === null) return row
  return stop(tx, row, { code: 'program_not_begun', message: failure.message, details: failure }, now)
}

/** Its machine is given back; what it has stored stays. */
async function stop(
  tx: DatabaseTransaction,
  row: PipelineRow,
  error: PipelineError | null,
  now: Date,
): Promise<PipelineRow> {
  return changePipelineRow(tx, row, {
    ...startOver(row),
    ...{ resources: 'stopping', runtime: null, deadline: null, now },
    status: { deployment: null, runtimeDetails: null, ...(error === null ? {} : { error }) },
    work: { journal: null, told: null, isApproved: false, waitsFor: null },
  })
}
