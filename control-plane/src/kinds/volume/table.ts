import type { Failure, Volume, VolumePhase, VolumeSpec } from '@hearth/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredVolumeStatus {
  waitsFor: string | null
  /** Whether its disk was there: it is never made a second time. */
  isMade: boolean
  /** The machine that has it on the host, as that said last. */
  attachedTo: string | null
  isMounted: boolean
  usedMebibytes: number | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface StoredVolumeSpec {
  mountPath: string
  runnerSelector: Record<string, string>
  /** The runner that it is to be made on; null for that of its first machine, or one that the selector chooses. */
  wantedRunnerId: string | null
  /** How often it was to be emptied. */
  contentNumber: number
  /** Whether programs that use it are not waited for. */
  force: boolean
  /** Another resource that has made it, and alone attaches and deletes it; absent for one that somebody made. */
  keptBy?: { kind: 'Pipeline'; id: string }
}

export interface VolumeTable extends ResourceTable<StoredVolumeSpec, StoredVolumeStatus> {
  size_mebibytes: number
  is_snapshot: boolean
  /** The one machine that may have it. */
  environment_id: string | null
  /** The runner on whose host it is; null until it is placed. */
  runner_id: string | null
  source_id: string | null
  phase: VolumePhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  desired: VolumeSpec['desired']
  report_epoch: Generated<number>
  report_sequence: Generated<string>
}
export interface VolumeTables {
  volumes: VolumeTable
}
export type VolumeRow = Selectable<VolumeTable>

export const emptyVolumeStatus: StoredVolumeStatus = {
  waitsFor: null,
  isMade: false,
  attachedTo: null,
  isMounted: false,
  usedMebibytes: null,
  failure: null,
  observedSpecVersion: 0,
}

export function toVolume(row: VolumeRow): Volume {
  const { waitsFor, isMounted, usedMebibytes, failure, observedSpecVersion } = row.status
  return {
    kind: 'Volume',
    metadata: metadataOf(row),
    spec: {
      desired: row.desired,
      sizeMebibytes: row.size_mebibytes,
      mountPath: row.spec.mountPath,
      environmentId: row.environment_id,
      isSnapshot: row.is_snapshot,
      sourceId: row.source_id,
      runnerSelector: row.spec.runnerSelector,
      ...(row.spec.keptBy === undefined ? {} : { keptBy: row.spec.keptBy }),
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      runnerId: row.runner_id,
      waitsFor,
      isMounted,
      usedMebibytes,
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
