import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { type EnvironmentRow, environments } from '../environment/index.ts'
import { KeptProcesses, type ProcessRow, readProcessesOf } from '../process/index.ts'
import { type SnapshotRow, snapshots } from '../snapshot/index.ts'
import { type VolumeRow, volumes } from '../volume/index.ts'
import type { PipelineRow } from './table.ts'

/** What a pipeline has. */
export interface Sight {
  machine: EnvironmentRow | null
  /** What runs in it for the pipeline. */
  processes: readonly ProcessRow[]
  /** Read where it is being started or cleared. */
  volume: VolumeRow | null
  /** Read where it is compiled, or is to start. */
  snapshot: SnapshotRow | null
}
/** The same, locked after the pipeline's own row: the machine, its processes, then the volume. */
export interface Scene extends Sight {
  kept: KeptProcesses | null
  now: Date
}

/** What its tasks and its service are to it. */
export type Role = 'check' | 'build' | 'run'

type Of = Pick<PipelineRow, 'id' | 'environment_id' | 'volume_id' | 'snapshot_id' | 'resources' | 'storage'>

export async function openScene(tx: DatabaseTransaction, row: Of, now: Date): Promise<Scene> {
  const machine =
    row.environment_id === null ? undefined : await environments.lockById(tx, row.environment_id)
  const kept = hasProcesses(row, machine) ? await KeptProcesses.lock(tx, machine, now) : null
  const { volume_id } = row
  const volume = volume_id === null || !usesVolume(row) ? undefined : await volumes.lockById(tx, volume_id)
  return {
    machine: machine ?? null,
    kept,
    processes: kept?.of(row.id) ?? [],
    volume: volume ?? null,
    snapshot: await readSnapshot(tx, row),
    now,
  }
}

/** Without a lock, for who only explains. */
export async function readSight(queryable: Queryable, row: Of): Promise<Sight> {
  const { environment_id, volume_id } = row
  const machine = environment_id === null ? undefined : await environments.readById(queryable, environment_id)
  const processes = hasProcesses(row, machine) ? await readProcessesOf(queryable, machine.id) : []
  const isSeen = volume_id !== null && usesVolume(row)
  return {
    machine: machine ?? null,
    processes: processes.filter(({ spec }) => spec.keptBy?.id === row.id),
    volume: (isSeen ? await volumes.readById(queryable, volume_id) : undefined) ?? null,
    snapshot: await readSnapshot(queryable, row),
  }
}

function hasProcesses({ resources }: Of, machine: EnvironmentRow | undefined): machine is EnvironmentRow {
  return machine !== undefined && machine.phase !== 'deleted' && resources !== 'stopping'
}

const usesVolume = ({ resources, storage }: Of) => resources === 'provisioning' || storage === 'clearing'

async function readSnapshot(
  queryable: Queryable,
  { snapshot_id, resources }: Of,
): Promise<SnapshotRow | null> {
  const isSeen = resources === 'stopped' || resources === 'provisioning'
  if (snapshot_id === null || !isSeen) return null
  return (await snapshots.readById(queryable, snapshot_id)) ?? null
}

export function processOf({ processes }: Pick<Sight, 'processes'>, role: Role): ProcessRow | undefined {
  return processes.find(({ spec }) => spec.keptBy?.role === role)
}
